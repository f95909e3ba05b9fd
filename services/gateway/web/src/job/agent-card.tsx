import { memo } from 'react';
import { count, money, titled } from '../model/figures.ts';
import { Icon } from '../parts/icons.tsx';
import { toneOf } from '../parts/status.tsx';

interface Props {
  readonly id: string;
  readonly role: string;
  readonly status: string;
  readonly tool: string | null;
  readonly tokens: number;
  readonly micros: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly chosen: boolean;
  readonly choose: (id: string) => void;
  readonly at: number;
  readonly of: number;
}

/** One agent of the swarm. Drawn again only when something of its own changed. */
export const AgentCard = memo(function AgentCard(props: Props) {
  const { id, role, status, chosen, choose, at, of, x, y, width, height } = props;
  return (
    <div
      id={`agent-${id}`}
      className="agent"
      role="option"
      aria-selected={chosen}
      aria-setsize={of}
      aria-posinset={at}
      data-tone={toneOf(status)}
      style={{ left: x, top: y, width, height }}
      onClick={() => choose(id)}
    >
      <span className="role">{role}</span>
      <Doing {...props} />
      <span className="figures">
        <span className="mono">{id}</span>
        {props.tokens > 0 && ` ${count(props.tokens)} tok`}
        {props.micros > 0 && <span className="amount">{money(props.micros)}</span>}
      </span>
    </div>
  );
});

function Doing({ status, tool }: Pick<Props, 'status' | 'tool'>) {
  const busy = status === 'acting' && tool !== null;
  return (
    <span className="doing">
      {busy ? <Icon name="tool" size={12} /> : <span className="dot" aria-hidden="true" />}
      {busy ? <span className="mono">{tool}</span> : titled(status)}
    </span>
  );
}
