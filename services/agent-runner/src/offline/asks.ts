export type Measure =
  | { readonly agg: 'count' }
  | { readonly agg: 'sum' | 'mean' | 'median' | 'min' | 'max'; readonly column: string };
export type Test =
  | { readonly is: 'equal'; readonly column: string; readonly value: string }
  | { readonly is: 'over' | 'under'; readonly column: string; readonly value: number };
type Way = 'north' | 'south' | 'east' | 'west';

/** What Python is to compute for one question. */
export type Work =
  | {
      readonly op: 'groups';
      readonly by: string;
      readonly measures: readonly Measure[];
      readonly n: number;
      readonly ascending: boolean;
      readonly where: readonly Test[];
    }
  | { readonly op: 'relation'; readonly x: string; readonly y: string; readonly where: readonly Test[] }
  | {
      readonly op: 'top';
      readonly column: string;
      readonly n: number;
      readonly ascending: boolean;
      readonly show: readonly string[];
      readonly where: readonly Test[];
    }
  | {
      readonly op: 'extremes';
      readonly place: string | null;
      readonly latitude: string | null;
      readonly longitude: string | null;
      readonly ways: readonly Way[];
      readonly n: number;
      readonly show: readonly string[];
    }
  | { readonly op: 'sharing'; readonly column: string; readonly n: number; readonly show: readonly string[] }
  | { readonly op: 'count'; readonly column: string | null; readonly where: readonly Test[] }
  | {
      readonly op: 'figures';
      readonly column: string;
      readonly aggs: readonly string[];
      readonly where: readonly Test[];
    }
  | {
      readonly op: 'trend';
      readonly column: string;
      readonly unit: 'year' | 'month' | 'day';
      readonly measure: Measure;
    };

/** Parts of a profile that answer a question by themselves. */
export type Part = 'oddities' | 'missing' | 'duplicates' | 'words' | 'lengths' | 'overview';

/** How a question is met: by a computation, or by what the profile already holds. `reading` says how the rules understood it. */
export type Ask = { readonly reading: string } & (
  | { readonly from: 'work'; readonly work: Work }
  | { readonly from: 'profile'; readonly part: Part }
);
