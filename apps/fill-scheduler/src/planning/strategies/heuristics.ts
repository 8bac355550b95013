import type { Strategy } from '../strategy.js'
import { cfsPack } from './cfs-pack.js'
import { hybridPack } from './hybrid-pack.js'
import { lptPack } from './lpt-pack.js'
import { smartPack } from './smart-pack.js'
import { sptPack } from './spt-pack.js'

/** The five that build a plan lot by lot; each takes under two seconds for 500 lots. */
export const HEURISTICS: readonly Strategy[] = [smartPack, sptPack, lptPack, cfsPack, hybridPack]
