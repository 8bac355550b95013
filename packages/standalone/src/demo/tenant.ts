/** The tenant of the demo, and of the command line where it names none. */
export const DEMO_TENANT = 'demo'

/** The user of the command line where it names none; the demo shares its operations with it. */
export const COMMAND_LINE_USER = 'cli'

/** The room of the demo. */
export const DEMO_ROOM = 'room:lobby'
