import type { Bodies } from '@loom/schemas';

export type RefusalCode = Bodies['job.refused']['code'];

interface Rule {
  readonly code: RefusalCode;
  readonly pattern: RegExp;
  readonly reason: string;
}

const prohibited = (pattern: RegExp, reason: string): Rule => ({ code: 'prohibited_use', pattern, reason });

/**
 * The clear cases of product.md 1.6, by their plain words. What is put less plainly is the planner's to decline
 * (`decline`), which sees the meaning; this list only spares the call where no judgement is needed.
 */
const rules: readonly Rule[] = [
  prohibited(
    /\b(bot|chatbot|persona)s?\b.{0,80}\b(pretend\w*|pos(e|es|ing)|pass(es|ing)?)\b.{0,20}\b(as|to be|for)\b.{0,12}\b(human|real (person|people))/is,
    'Loom builds no bots that pass as human.',
  ),
  prohibited(
    /\b(facial|face|biometric)[\s-]*(recognition|identification)\b.{0,120}\b(police|law enforcement|border|government|protest)/is,
    'Loom builds no biometric surveillance for state actors.',
  ),
  prohibited(
    /\b(weapon|missile|drone strike|munition)s?\b.{0,80}\b(target(ing)?|guidance|fire control)\b/is,
    'Loom builds no weapons or targeting systems.',
  ),
  prohibited(
    /\b(micro-?target\w*|suppress)\b.{0,80}\b(voter|election|campaign)/is,
    'Loom builds no political manipulation.',
  ),
  prohibited(
    /\bdeep-?fakes?\b.{0,120}\b(politician|candidate|president|minister|public figure|celebrity)/is,
    'Loom makes no deceptive synthetic media of public figures.',
  ),
];

/** Why a brief is refused before any model sees it; null when it may go on. */
export function screen(brief: string): { readonly code: RefusalCode; readonly reason: string } | null {
  if (!/[\p{L}\p{N}]/u.test(brief))
    return {
      code: 'ambiguous',
      reason: 'The brief says nothing that could be worked on. Write what you want to know or have made.',
    };
  const rule = rules.find(({ pattern }) => pattern.test(brief));
  return rule ? { code: rule.code, reason: rule.reason } : null;
}
