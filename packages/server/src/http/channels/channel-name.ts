import { CHANNEL_NAME_PATTERN } from '@holdfast/protocol'
import * as z from 'zod'

/** What an event may be called, as in a command. */
export const event: z.ZodString = z
  .string()
  .regex(/^[!-~]{1,64}$/, 'an event name of 1 to 64 printable ASCII characters without spaces')

/** The one name in the path of a channel. */
export const channelParams: z.ZodObject<{ channel: z.ZodString }> = z.strictObject({
  channel: z
    .string()
    .regex(CHANNEL_NAME_PATTERN, 'a channel name such as room:42')
    .describe('The name of a channel: `room:42`'),
})
