/** What a process can be asked: the name of each question with what goes in and what comes out. */
export type QuestionTable<T> = { readonly [N in keyof T]: { readonly input: unknown; readonly output: unknown } }

/** A question on its way to a process. */
export interface Question {
  readonly number: number
  readonly name: string
  readonly input: unknown
}

/** Why a question could not be answered, in a form that travels. */
export interface Problem {
  readonly message: string
  readonly code?: string
  readonly retryable?: boolean
}

/** The answer on its way back. */
export interface Answer {
  readonly number: number
  readonly output?: unknown
  readonly problem?: Problem
}

/** What answers each question. */
export type Answers<T extends QuestionTable<T>> = {
  readonly [N in keyof T]: (input: T[N]['input']) => T[N]['output'] | Promise<T[N]['output']>
}

/** Thrown where a question was answered with a problem. */
export class QuestionError extends Error {
  readonly code: string | undefined
  readonly retryable: boolean

  constructor({ message, code, retryable = false }: Problem) {
    super(message)
    this.name = 'QuestionError'
    this.code = code
    this.retryable = retryable
  }
}

/** Answers the questions of the process that started this one, and ends when that one does. */
export function answerQuestions<T extends QuestionTable<T>>(answers: Answers<T>): void {
  process.on('message', (question: Question) => void answer(answers, question))
  process.on('disconnect', () => process.exit(1))
}

/** Any error in a form that travels. */
export function problemOf(error: unknown): Problem {
  const { code, retryable } = error as { code?: unknown; retryable?: unknown }
  return {
    message: error instanceof Error ? error.message : String(error),
    ...(typeof code === 'string' && { code }),
    ...(typeof retryable === 'boolean' && { retryable }),
  }
}

async function answer<T extends QuestionTable<T>>(
  answers: Answers<T>,
  { number, name, input }: Question,
): Promise<void> {
  try {
    const output = await answers[name as keyof T](input as T[keyof T]['input'])
    process.send?.({ number, output } satisfies Answer)
  } catch (error) {
    process.send?.({ number, problem: problemOf(error) } satisfies Answer)
  }
}
