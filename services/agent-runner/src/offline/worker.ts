import type { Message, Situation, ToolCall } from '@loom/models';
import type { Ask } from './asks.ts';
import { HONEST, type Entry, type FileFindings, encode } from './findings.ts';
import { type Answers, type Profile, printed } from './profile.ts';
import { type Phase, program, runOf, slug } from './python.ts';
import { type Question, questions } from './questions.ts';
import { concerns } from './relevance.ts';
import { askFor } from './rules.ts';
import { type Reply, call } from './reply.ts';

const AT_ONCE = 4;
const DEADLINE_S = 18;
const CHEAP_ROWS = 100_000;

/** One run of a program that the conversation shows. */
interface Run {
  readonly phase: Phase;
  readonly lite: boolean;
  readonly file: string;
  readonly failed: boolean;
  readonly text: string;
  readonly out: Profile | Answers | null;
}

const codeOf = (args: string): string => {
  try {
    const { code } = JSON.parse(args) as { code?: unknown };
    return typeof code === 'string' ? code : '';
  } catch {
    return '';
  }
};

/** Every run so far, in order. What a run was is read from its own first line, never from what it printed. */
function runsIn(messages: readonly Message[]): readonly Run[] {
  const calls = new Map<string, ToolCall>();
  const runs: Run[] = [];
  for (const message of messages) {
    if (message.role === 'assistant') for (const made of message.calls) calls.set(made.id, made);
    if (message.role === 'tool')
      for (const { id, failed, text } of message.results) {
        const which = runOf(codeOf(calls.get(id)?.args ?? ''));
        if (which) runs.push({ ...which, failed, text, out: printed(text) });
      }
  }
  return runs;
}

/** The last run of a phase that gave a document. */
function outcome<P extends Phase>(
  runs: readonly Run[],
  file: string,
  phase: P,
): (P extends 'profile' ? Profile : Answers) | null {
  const good = runs.findLast(
    (run) => run.file === file && run.phase === phase && !run.failed && run.out?.phase === phase,
  )?.out;
  return (good ?? null) as (P extends 'profile' ? Profile : Answers) | null;
}

interface Asked {
  readonly question: Question;
  readonly ask: Ask;
}

/** The questions of the brief that rules can meet from this file. */
function askedOf(profile: Profile, situation: Situation): readonly Asked[] {
  const others = situation.attachments.map(({ name }) => name);
  return questions(situation.brief)
    .filter((question) => question.kind === 'question' && concerns(question, profile, others))
    .flatMap((question) => {
      const ask = askFor(question, situation.brief, profile);
      return ask ? [{ question, ask }] : [];
    });
}

function namesIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(namesIn) : [];
}

/** What the second program needs: the asks, and the kinds of the columns that they name. */
function answerParameters(profile: Profile, asked: readonly Asked[]): object {
  const asks = asked.flatMap(({ question, ask }) => (ask.from === 'work' ? [{ id: question.id, ...ask.work }] : []));
  const columns = Object.fromEntries(
    profile.columns.map(({ name, kind, separator, form }) => [name, { kind, separator, form }]),
  );
  const named = new Set(asks.filter(({ op }) => op !== 'top').flatMap(namesIn));
  const used = new Set(asks.flatMap(namesIn));
  return {
    asks,
    source: profile.source,
    wanted: Object.keys(columns).filter((name) => named.has(name)),
    columns: Object.fromEntries(Object.entries(columns).filter(([name]) => used.has(name))),
  };
}

const LIMITED = /time|timed|memory|137|30 s/i;
const GONE = /unavailable|no docker|not reach|refused/i;

/** Whether a phase is to be run for a file: the first time whole, once more cheaply when a limit was met. */
function due(runs: readonly Run[], file: string, phase: Phase): { readonly lite: boolean } | null {
  const mine = runs.filter((run) => run.file === file && run.phase === phase);
  const last = mine.at(-1);
  if (!last) return { lite: false };
  const limited = last.failed && LIMITED.test(last.text) && !GONE.test(last.text);
  return limited && mine.length < 2 ? { lite: true } : null;
}

/** What the next phase of a file is given besides its name, or null when there is nothing left to compute. */
function needed(profile: Profile | null, situation: Situation): object | null {
  if (!profile) return {};
  const asked = profile.refused === undefined ? askedOf(profile, situation) : [];
  return asked.some(({ ask }) => ask.from === 'work') ? answerParameters(profile, asked) : null;
}

function nextCall(file: string, at: number, runs: readonly Run[], situation: Situation): readonly ToolCall[] {
  const profile = outcome(runs, file, 'profile');
  const phase: Phase = profile ? 'answer' : 'profile';
  const run = due(runs, file, phase);
  const more = needed(profile, situation);
  if (!run || !more) return [];
  const limits = run.lite ? { deadline: 8, rows: CHEAP_ROWS } : { deadline: DEADLINE_S, rows: 0 };
  const code = program(phase, {
    file,
    lite: run.lite,
    slug: slug(
      file,
      situation.attachments.map(({ name }) => name),
    ),
    ...limits,
    ...more,
  });
  return [call(`${phase}-${at + 1}-${run.lite ? 2 : 1}`, 'run_code', { language: 'python', code, files: [file] })];
}

/** What a tool said of its failure: its first line, and the last line of standard error. */
function reason(text: string): string {
  const lines = (part: string) =>
    part
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  const errors = lines(text.split('\n--- stderr\n')[1]?.split('\n--- files')[0] ?? '').at(-1);
  return [lines(text)[0] ?? 'no output', ...(errors === undefined ? [] : [errors])].join('; ').slice(0, 300);
}

function failureOf(runs: readonly Run[], file: string, phase: Phase): string | null {
  const last = runs.findLast((run) => run.file === file && run.phase === phase);
  if (!last || (!last.failed && last.out)) return last?.out?.refused ?? null;
  return `the ${phase === 'profile' ? 'profile' : 'second'} run in the sandbox failed: ${reason(last.text)}`;
}

function entriesOf(asked: readonly Asked[], answers: Answers | null): readonly Entry[] {
  return asked.map(({ question, ask }) => ({
    id: question.id,
    reading: ask.reading,
    part: ask.from === 'profile' ? ask.part : null,
    answer: ask.from === 'work' ? (answers?.answers.find(({ id }) => id === question.id) ?? null) : null,
  }));
}

function findingsOf(file: string, runs: readonly Run[], situation: Situation): FileFindings {
  const found = outcome(runs, file, 'profile');
  const profile = found?.refused === undefined ? found : null;
  const answers = outcome(runs, file, 'answer');
  const failure = profile ? failureOf(runs, file, 'answer') : (failureOf(runs, file, 'profile') ?? 'nothing was run');
  return {
    file,
    profile,
    failure,
    entries: profile ? entriesOf(askedOf(profile, situation), answers) : [],
    partial: answers?.stopped ?? '',
  };
}

function summaryOf(findings: readonly FileFindings[]): string {
  return findings
    .map(({ file, profile, failure, entries }) => {
      const answers = entries.flatMap(({ id, answer }) =>
        answer?.text ? [`  - question ${id}: ${answer.text.replace(/`/g, "'")}`] : [],
      );
      return [
        `- ${JSON.stringify(file)}: ${profile ? `${profile.rows} rows, ${profile.oddities.length} oddities` : 'not profiled'}${failure === null ? '' : `; ${failure.replace(/`/g, "'")}`}`,
        ...answers,
      ].join('\n');
    })
    .join('\n');
}

/** Profiles its files, computes the answers, then says what it found. */
export function work(messages: readonly Message[], situation: Situation): Reply {
  if (situation.files.length === 0)
    return {
      text: `${HONEST} No file was attached, so nothing can be computed: every question of the brief needs a model.`,
      calls: [],
    };
  const runs = runsIn(messages);
  const calls = situation.files.flatMap((file, at) => nextCall(file, at, runs, situation)).slice(0, AT_ONCE);
  if (calls.length > 0)
    return { text: `${HONEST} Running code over ${calls.length === 1 ? 'one file' : `${calls.length} files`}.`, calls };
  const findings = situation.files.map((file) => findingsOf(file, runs, situation));
  return { text: encode(summaryOf(findings), findings), calls: [] };
}
