/** Version of the decider: raised whenever the same facts may lead to another decision. */
export const DECIDER = '4';

/** Version of the policy: screening rules and tool permissions. */
export const POLICY = '1';
