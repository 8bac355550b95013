/** What a setting is for, and the older names under which it may be given beside its path. */
export interface SettingEntry {
  readonly note: string
  /** Each in the form in which it was written first. Case, `_` and `-` make no difference. */
  readonly olderNames?: readonly string[]
}

/**
 * Every setting by its path, in the order in which it is exported. Three older vocabularies are understood: that of the planning engine (`CHG_SAME_HOURS`), that of
 * its files (`strategies.smart_pack.beam_width`), and that of templates of the REST API (`max_clean_hours`).
 */
export const SETTING_TABLE: Readonly<Record<string, SettingEntry>> = {
  start: { note: 'When the plan begins: local time of timeZone, YYYY-MM-DD HH:MM.', olderNames: ['START_TIME_STR'] },
  timeZone: { note: 'Name of the time zone of start, due dates, shifts, holidays and reports: UTC, Europe/Berlin.' },
  fillRateVialsPerHour: { note: 'Vials that a line fills in an hour.', olderNames: ['FILL_RATE_VPH'] },
  cleanHours: { note: 'Hours of a cleaning, which opens each block.', olderNames: ['max_clean_hours'] },
  windowHours: { note: 'Hours after a cleaning in which lots may be filled.' },
  'changeover.sameTypeHours': {
    note: 'Hours between two lots of the same type, and of different ones.',
    olderNames: ['CHG_SAME_HOURS', 'CHANGEOVER_DEFAULT', 'default_changeover_hours'],
  },
  'changeover.differentTypeHours': {
    note: '',
    olderNames: ['CHG_DIFF_HOURS', 'CHANGEOVER_DEFAULT', 'default_changeover_hours'],
  },
  'changeover.matrix': {
    note: 'Hours by type before and type behind; what is not named follows the two numbers above: { VialE: { VialH: 6 } }.',
    olderNames: ['CHANGEOVER_MATRIX'],
  },
  minLotSpacingHours: { note: 'At least this many hours between two lots of a block.' },
  lines: { note: 'How many lines fill side by side.' },
  strategy: {
    note: 'smart-pack, spt-pack, lpt-pack, cfs-pack, hybrid-pack, exact or improver.',
  },
  mode: { note: 'improved, or classic: the decisions of the reference formulas to the letter.' },
  allowedStrategies: { note: 'Strategies that may be chosen; left out: all.' },
  'strategies.smartPack.utilPadHours': {
    note: 'Hours at the end of a window that smart-pack and hybrid-pack leave free.',
    olderNames: ['UTIL_PAD_HOURS'],
  },
  'strategies.smartPack.beamWidth': {
    note: 'How many candidates are looked at with the lot behind them.',
    olderNames: ['BEAM_WIDTH'],
  },
  'strategies.smartPack.scoreAlpha': {
    note: 'Penalty of a change of type, and of none.',
    olderNames: ['SCORE_ALPHA'],
  },
  'strategies.smartPack.scoreBeta': { note: '', olderNames: ['SCORE_BETA'] },
  'strategies.smartPack.slackWasteWeight': {
    note: 'Penalty of an hour at the end of a window that no other lot can use.',
    olderNames: ['SLACK_WASTE_WEIGHT'],
  },
  'strategies.smartPack.streakBonus': { note: 'Bonus for going on with the same type.', olderNames: ['STREAK_BONUS'] },
  'strategies.smartPack.dynamicSwitchMultMin': {
    note: 'Multiplier of the penalties at the beginning of a window, and at its end.',
    olderNames: ['DYNAMIC_SWITCH_MULT_MIN'],
  },
  'strategies.smartPack.dynamicSwitchMultMax': { note: '', olderNames: ['DYNAMIC_SWITCH_MULT_MAX'] },
  'strategies.cfsPack.clusterOrder': {
    note: 'Which type comes first: by_count or by_total_hours, the greater first.',
    olderNames: ['CFS_CLUSTER_ORDER', 'strategies.cfs.cluster_order'],
  },
  'strategies.cfsPack.within': {
    note: 'Which lot of a type comes first: the longest (LPT) or the shortest (SPT).',
    olderNames: ['CFS_WITHIN', 'strategies.cfs.within'],
  },
  'strategies.hybridPack.sameTypeBonus': {
    note: 'Bonus for the same type.',
    olderNames: ['HYBRID_SAME_TYPE_BONUS', 'strategies.hybrid.same_type_bonus'],
  },
  'strategies.hybridPack.sptWeight': {
    note: 'Bonus for short lots of the same type.',
    olderNames: ['HYBRID_SPT_WEIGHT', 'strategies.hybrid.spt_weight'],
  },
  'strategies.hybridPack.switchPenaltyMult': {
    note: 'Multiplier of the penalties of smart-pack.',
    olderNames: ['HYBRID_SWITCH_PENALTY_MULT', 'strategies.hybrid.switch_penalty_mult'],
  },
  'strategies.exact.maxLots': {
    note: 'More lots, or more blocks in a plan, are refused.',
    olderNames: ['MILP_MAX_LOTS', 'strategies.milp.max_lots'],
  },
  'strategies.exact.maxBlocks': { note: '', olderNames: ['MILP_MAX_BLOCKS', 'strategies.milp.max_blocks'] },
  'strategies.exact.timeLimitSeconds': {
    note: 'Then the best plan so far is taken.',
    olderNames: ['MILP_TIME_LIMIT', 'strategies.milp.time_limit'],
  },
  'strategies.improver.timeLimitSeconds': { note: 'Then the best plan so far is taken.' },
  'strategies.improver.seed': { note: 'The same seed tries the same changes.' },
  'strategies.improver.targetGapPercent': { note: 'Stops when the plan is within this of the lower bound.' },
  'dueDates.latePenaltyPerHour': {
    note: 'Hours of makespan that one hour late of a lot of priority 1 is worth.',
    olderNames: ['window_penalty_weight'],
  },
  'dueDates.priorityLevels': {
    note: 'Names that the column Priority may hold beside numbers.',
    olderNames: ['priority_levels'],
  },
  'calendar.shifts': {
    note: "Working time; without shifts the lines never rest: [{ days: [mon, tue], from: '06:00', to: '14:00' }].",
  },
  'calendar.holidays': { note: 'Days on which nobody works, from midnight to midnight: [2025-12-25].' },
  data: { note: 'File with the lots.', olderNames: ['DATA_PATH'] },
  output: { note: 'Folder of what is written.', olderNames: ['OUTPUT_DIR'] },
  interactive: { note: 'Ask for the strategy on the terminal.' },
  'report.html': { note: 'Write an HTML report, and under which name.', olderNames: ['HTML_REPORT'] },
  'report.htmlFile': { note: '', olderNames: ['HTML_FILENAME'] },
  'report.dateTimeFormat': {
    note: 'How reports write times: %Y %m %d %H %M %S, and %% for a percent sign.',
    olderNames: ['DATETIME_FMT'],
  },
}
