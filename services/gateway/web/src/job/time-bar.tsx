import { use, useEffect, useState } from 'react';
import { clockTime } from '../model/figures.ts';
import { Icon } from '../parts/icons.tsx';
import { AimContext, useShown } from './job-context.ts';
import { Density } from './density.tsx';
import { StateProof } from './state-proof.tsx';

/** The job's time: any point of it, by pointer or keys; playing; and back to now. */
export function TimeBar() {
  const { log, travel } = useShown();
  const position = use(AimContext);
  const total = log.facts.length;
  const at = position ?? total;
  const to = (next: number): void => travel(next >= total ? null : Math.max(1, next));
  return (
    <section className="time-bar" aria-label="Time travel">
      <Play to={to} at={at} total={total} />
      <Step label="One fact back" icon="back" off={at <= 1} act={() => to(at - 1)} />
      <Step label="One fact on" icon="forward" off={position === null} act={() => to(at + 1)} />
      <Track to={to} at={at} total={total} />
      <button type="button" className="live" data-on={position === null || undefined} onClick={() => travel(null)}>
        {log.head.ended === null ? 'Live' : 'End'}
      </button>
    </section>
  );
}

interface StepProps {
  readonly label: string;
  readonly icon: 'back' | 'forward';
  readonly off: boolean;
  readonly act: () => void;
}

function Step({ label, icon, off, act }: StepProps) {
  return (
    <button type="button" className="icon-button" aria-label={label} disabled={off} onClick={act}>
      <Icon name={icon} />
    </button>
  );
}

function Track({ to, at, total }: PlayProps) {
  const { log, position } = useShown();
  const fact = log.facts[at - 1];
  const words = fact ? `Fact ${at} of ${total}: ${fact.type}, ${clockTime(fact.time)}` : 'no fact yet';
  return (
    <>
      <div className="track">
        <Density />
        <input
          type="range"
          aria-label="Point in the job's time"
          aria-valuetext={words}
          min={1}
          max={Math.max(1, total)}
          value={at}
          onChange={(event) => to(Number(event.target.value))}
        />
      </div>
      <span className="point">
        <span className="mono">{words}</span>
        {position !== null && <StateProof />}
      </span>
    </>
  );
}

interface PlayProps {
  readonly to: (position: number) => void;
  readonly at: number;
  readonly total: number;
}

/** A job's whole time in about so long, ms; and how often it moves. */
const length = 12_000;
const beat = 80;

function Play({ to, at, total }: PlayProps) {
  const [playing, setPlaying] = useState(false);
  useEffect(() => {
    if (!playing) return;
    const timer = setTimeout(() => {
      const next = at + Math.max(1, Math.round((total * beat) / length));
      if (next >= total) setPlaying(false);
      to(next);
    }, beat);
    return () => clearTimeout(timer);
  });
  const turn = (): void => {
    if (!playing && at >= total) to(1);
    setPlaying(!playing);
  };
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={playing ? 'Pause' : 'Play the job from here'}
      onClick={turn}
    >
      <Icon name={playing ? 'pause' : 'play'} />
    </button>
  );
}
