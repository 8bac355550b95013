import { z } from '@hono/zod-openapi'
import type { PlanTime } from '../io/plan-time.js'
import type { Lot } from '../planning/lot.js'

const members = {
  lot_id: z.string().openapi({ example: 'A1' }),
  lot_type: z.string().openapi({ example: 'VialE' }),
  vials: z.int().openapi({ example: 100_000 }),
  due: z.string().optional().openapi({
    description: 'By when it should be filled: ISO 8601, or local to the zone of the settings.',
    example: '2025-01-20',
  }),
  priority: z.union([z.number(), z.string()]).optional().openapi({
    description: 'How much an hour late costs, relative to other lots: a number, or a level of the settings.',
  }),
}

/** A lot as clients send it. What is wrong with it is told by `io/lots-json.ts`, of all lots at once; here it may be anything. */
export const lotsInput = z
  .array(z.unknown())
  .max(10_000)
  .openapi({
    description:
      'Objects with lot_id, lot_type, vials, and due and priority where there are any. fill_hours is accepted and must agree.',
    items: {
      type: 'object',
      required: ['lot_id', 'lot_type', 'vials'],
      properties: {
        lot_id: { type: 'string' },
        lot_type: { type: 'string' },
        vials: { type: 'integer', minimum: 1 },
        due: { type: 'string' },
        priority: { oneOf: [{ type: 'number' }, { type: 'string' }] },
        fill_hours: { type: 'number' },
      },
    },
    example: [
      { lot_id: 'A1', lot_type: 'VialE', vials: 100_000 },
      { lot_id: 'A2', lot_type: 'VialH', vials: 900_000 },
    ],
  })

/** A lot as the API tells it. */
export const lotSchema = z
  .object({ ...members, fill_hours: z.number(), priority: z.number().optional() })
  .openapi('Lot')

/** The same, of a lot. */
export function lotBody(
  { id, type, vials, fillHours, dueHours, priority }: Lot,
  time: PlanTime,
): z.infer<typeof lotSchema> {
  return {
    lot_id: id,
    lot_type: type,
    vials,
    fill_hours: fillHours,
    ...(dueHours !== undefined && { due: time.iso(dueHours) }),
    ...(priority !== undefined && { priority }),
  }
}
