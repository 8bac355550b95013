import { z } from '@hono/zod-openapi'
import { lotsInput } from './lot-body.js'
import { fileField, jsonField } from './request-body.js'

/** A line of text of people. */
export const nameField = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}]*$/u, 'must not have control characters')

/** The same over several lines. */
export const descriptionField = z
  .string()
  .max(2_000)
  .regex(/^(?:[\t\n\r]|\P{Cc})*$/u, 'must not have control characters but line ends and tabs')

const common = {
  name: nameField.optional().openapi({ description: 'Default: `Schedule` or `Comparison` and the time.' }),
  mode: z.enum(['classic', 'improved']).optional(),
  start_time: z
    .string()
    .max(40)
    .optional()
    .openapi({ description: 'ISO 8601; without an offset it is UTC.', example: '2025-01-01T08:00:00Z' }),
}

const schedule = {
  ...common,
  description: descriptionField.optional(),
  strategy: z.string().max(32).optional().openapi({ description: 'Name or alias.', example: 'smart-pack' }),
}

/** Settings as they are sent: any of the vocabularies; what is wrong with them is told with its path. */
const config = z
  .record(z.string(), z.unknown())
  .optional()
  .openapi({ description: 'Settings that are not as in the template, or by default.', example: { lines: 2 } })
const templateId = z
  .string()
  .max(64)
  .optional()
  .openapi({ description: 'Settings to begin with. Default: where there is no config either, your default template.' })
const csvFile = fileField('.csv')
const strategyList = z
  .array(z.string().max(32))
  .min(2)
  .max(6)
  .openapi({ description: 'Names or aliases, each once.', example: ['smart-pack', 'lpt-pack'] })

const formConfig = jsonField.optional()

/** A schedule as JSON. */
export const scheduleJson = z
  .strictObject({ ...schedule, lots_data: lotsInput, config, template_id: templateId })
  .openapi('NewSchedule')

/** A schedule as a form with a file. */
export const scheduleForm = z
  .strictObject({ ...schedule, csv_file: csvFile, config: formConfig, template_id: templateId })
  .openapi('NewScheduleForm')

/** Lots to be looked at, as JSON. */
export const checkJson = z
  .strictObject({
    lots_data: lotsInput,
    config,
    template_id: templateId,
    strategy: schedule.strategy,
    mode: common.mode,
  })
  .openapi('Check')

/** The same as a form with a file. */
export const checkForm = z
  .strictObject({
    csv_file: csvFile,
    config: formConfig,
    template_id: templateId,
    strategy: schedule.strategy,
    mode: common.mode,
  })
  .openapi('CheckForm')

/** A comparison as JSON. */
export const comparisonJson = z
  .strictObject({ ...common, strategies: strategyList, lots_data: lotsInput, config, template_id: templateId })
  .openapi('NewComparison')

const namesText = z.string().max(300)

/** The same as a form with a file; strategies with commas between them, or a field for each. */
export const comparisonForm = z
  .strictObject({
    ...common,
    strategies: z
      .union([namesText, z.array(namesText)])
      .transform((texts) => [texts].flat().flatMap((text) => text.split(',').map((name) => name.trim())))
      .pipe(z.array(z.string()).min(2).max(6))
      .openapi({ type: 'string', description: 'With commas between them, or a field for each.' }),
    csv_file: csvFile,
    config: formConfig,
    template_id: templateId,
  })
  .openapi('NewComparisonForm')

/** A schedule that goes on from another. */
export const replanJson = z
  .strictObject({
    from: z
      .string()
      .max(40)
      .openapi({ description: 'What has begun by then stays as it is. ISO 8601.', example: '2025-01-05T08:00:00Z' }),
    lots_data: lotsInput.optional().openapi({ description: 'Further lots.' }),
    strategy: schedule.strategy,
    mode: common.mode,
    config,
    name: common.name,
  })
  .openapi('Replan', { example: { from: '2025-01-05T08:00:00Z' } })
