import type { Claim } from '../store/port.js';
import type { Call } from './house.js';

/** What a unit claims that carries out a request whose ids both came: committed with it, so that it is carried out once. `part`: of a batch. */
export const onceClaims = ({ about }: Pick<Call, 'about'>, part = 0): readonly Claim[] =>
  about?.once === undefined ? [] : [{ ...about.once, key: `${about.once.key}/${String(part)}` }];
