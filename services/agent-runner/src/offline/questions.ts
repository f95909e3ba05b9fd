/** One thing that the brief asks: a question to answer from data, or a request for how the result should be made. */
export interface Question {
  /** From 1 for each kind, in the order of the brief. */
  readonly id: number;
  readonly kind: 'question' | 'request';
  readonly text: string;
  /** What the sentence said it is about (`For the packages …`); '' if nothing. */
  readonly topic: string;
}

const HEAD = String.raw`(?:which|how|what|who|where|when|whether|why|the (?:\d+|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|top|number of|share of|average|median|mean|total|\w+est)\b|top \d+|list|compare|count|show|plot|draw|say|tell|explain|summari[sz]e)\b`;
const SPLIT = new RegExp(
  String.raw`;\s+|,\s+(?:and\s+|as well as\s+)?(?=${HEAD})|\s+and\s+(?=(?!the \w+est\b)${HEAD})`,
  'i',
);
const TOPIC =
  /^(?:for|about|regarding|concerning|as for|as to|in|from|on)\s+(?:each of\s+)?(?:the\s+)?([^,:?]{2,60}?)(?:\s*[:,]\s*|\s+(?=(?:i|please|tell|show|list|which|what|how|who|give)\s))/i;
const LEAD =
  /^(?:[-*•]\s+|\d+[.)]\s+|and\s+|also\s+|then\s+|finally,?\s+|please\s+|could you\s+|can you\s+|i(?:'d| would)? (?:like|want|need|wish) to (?:know|see|learn|find out)\s+|i am interested in\s+|i'm interested in\s+|tell me\s+|let me know\s+|show me\s+|give me\s+(?=the\s|a list)|find out\s+|say\s+)/i;
const REQUEST =
  /^(?:write|produce|make|create|prepare|give each|give every|assign|use|put|deliver|hand|keep|format|split|i want (?:a|one) )/i;
const ASKS =
  /\?$|\b(?:which|how|what|who|where|when|whether|why)\b|^(?:the|top|list|compare|count|find|rank|compute|calculate|plot|draw|chart|show|summari[sz]e|describe|explain|translate|analy[sz]e|identify|predict|recommend|tell|total|average|mean|median|number of|distribution|trend|most|least|largest|smallest|highest|lowest|breakdown|correlation)\b|\b(?:over time|(?:per|by) (?:day|week|month|year))\b/i;

/** The sentences of a text, per paragraph; bullets are sentences of their own. Dots inside names do not end one. */
function paragraphs(brief: string): readonly (readonly string[])[] {
  const blocks = brief
    .replace(/```[\s\S]*?```/g, ' ')
    .replace(/\r/g, '')
    .split(/\n\s*\n/);
  return blocks.map((block) =>
    block
      .replace(/\n(?=\s*(?:[-*•]|\d+[.)])\s)/g, '\u0000')
      .replace(/^#+\s+.*$/gm, ' ')
      .split('\u0000')
      .flatMap((part) =>
        part
          .replace(/\s+/g, ' ')
          .trim()
          .split(/(?<!\b(?:e\.g|i\.e|vs|z\.B|ca|approx|etc|no)\.)(?<=[.!?])\s+(?=\S)/i),
      )
      .filter((part) => part !== ''),
  );
}

function stripLead(text: string): string {
  const next = text.replace(LEAD, '');
  return next === text ? text : stripLead(next);
}

interface Clause {
  readonly text: string;
  readonly topic: string;
}

const VERB = String.raw`(?:the|has|have|had|holds?|is|are|was|were|with|of|ones?)\b`;
const ALONE = new RegExp(String.raw`^which(?=\s+${VERB})`, 'i');
const NAMED = new RegExp(String.raw`^(?:which|what)\s+(?!${VERB})([\p{L}\p{N}_.-]+)`, 'iu');

/** `which city sold most, and which the least`: the second `which` is about cities too, and says so. */
function completed(parts: readonly string[]): readonly string[] {
  let noun = '';
  return parts.map((part) => {
    noun = NAMED.exec(part)?.[1] ?? noun;
    return noun === '' ? part : part.replace(ALONE, (which) => `${which} (${noun})`);
  });
}

function clauses(sentence: string, inherited: string): readonly Clause[] {
  const opening = stripLead(sentence);
  const match = TOPIC.exec(opening);
  const topic = match?.[1]?.trim() ?? inherited;
  const rest = match ? opening.slice(match[0].length) : opening;
  const parts = rest.split(SPLIT).map((part) => stripLead(part.trim()).replace(/[.,;:]+$/, ''));
  return completed(parts)
    .map((text) => ({ text, topic }))
    .filter((clause) => clause.text.length > 2);
}

function kindOf(text: string): Question['kind'] | null {
  if (REQUEST.test(text)) return 'request';
  return ASKS.test(text) ? 'question' : null;
}

/** What a brief asks, in its order. The same brief always gives the same list. */
export function questions(brief: string): readonly Question[] {
  const found: Question[] = [];
  for (const sentences of paragraphs(brief)) {
    let topic = '';
    for (const sentence of sentences)
      for (const clause of clauses(sentence, topic)) {
        topic = clause.topic;
        const kind = kindOf(clause.text);
        if (kind !== null && found.length < 40)
          found.push({ id: found.filter((other) => other.kind === kind).length + 1, kind, ...clause });
      }
  }
  return found;
}
