import { spokenOf } from './columns.ts';
import type { Profile } from './profile.ts';
import type { Question } from './questions.ts';
import { overlap, stems } from './words.ts';

const KINDS = ['number', 'category', 'id', 'text', 'date', 'list', 'coordinates'] as const;
const mentions = (text: string, file: string): number => {
  const said = new Set(stems(text));
  return overlap(stems(file.replace(/\.[^.]*$/, '')), said);
};

/** Whether a question is about this file: its topic, else its words, name another file more than this one, unless this one has the very column. */
export function concerns(question: Question, profile: Profile, files: readonly string[]): boolean {
  const named = files.filter((file) => question.text.includes(file));
  if (named.length > 0) return named.includes(profile.file);
  const best = (text: string) => Math.max(0, ...files.map((file) => mentions(text, file)));
  if (question.topic !== '' && best(question.topic) > 0)
    return mentions(question.topic, profile.file) === best(question.topic);
  if (mentions(question.text, profile.file) >= best(question.text)) return true;
  return (spokenOf(stems(question.text), profile, KINDS)[0]?.score ?? 0) >= 2;
}
