import { z } from '@hono/zod-openapi'
import type { Template } from '../store/store.js'

/** A template as the API tells it. */
export const templateSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    is_public: z.boolean(),
    is_default: z.boolean().openapi({ description: 'Whether it is the default of whoever asks.' }),
    is_own: z.boolean().openapi({ description: 'Whether whoever asks may change it.' }),
    settings: z.record(z.string(), z.unknown()),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi('Template')

/** The same, of a template, for whoever asks. Whose it is is nobody else's business. */
export function templateBody(template: Template, userId: string): z.infer<typeof templateSchema> {
  const isOwn = template.userId === userId
  return {
    id: template.id,
    name: template.name,
    description: template.description ?? null,
    is_public: template.isPublic,
    is_default: isOwn && template.isDefault,
    is_own: isOwn,
    settings: { ...template.settings },
    created_at: template.createdAt,
    updated_at: template.updatedAt,
  }
}
