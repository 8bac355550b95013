import PDFDocument from 'pdfkit'
import { drawable } from './pdf-text.js'
import { visible } from './visible-text.js'

/** How text is drawn; points throughout. */
export interface PdfTextStyle {
  readonly size: number
  readonly bold?: boolean
  readonly colour?: string
  readonly align?: 'left' | 'right'
}

/** The ink of texts, and that of what matters less. */
export const INK = '#1b1f24'
/** See `INK`. */
export const SOFT_INK = '#57606a'

const MARGIN = 36
const FOOTER_HEIGHT = 18

/** A PDF that is written from top to bottom: A4 landscape, with the margins in its own hands. */
export class PdfPages {
  readonly left = MARGIN
  readonly width: number
  /** Where the next thing is drawn. */
  y = MARGIN
  readonly #document: PDFKit.PDFDocument
  readonly #bottom: number
  readonly #content: Promise<Uint8Array>

  constructor(title: string, createdAt: Date) {
    this.#document = new PDFDocument({
      size: 'A4',
      layout: 'landscape',
      margin: 0,
      bufferPages: true,
      lang: 'en',
      displayTitle: true,
      info: { Title: visible(title), Creator: 'fill-scheduler', CreationDate: createdAt },
    })
    this.width = this.#document.page.width - 2 * MARGIN
    this.#bottom = this.#document.page.height - MARGIN - FOOTER_HEIGHT
    this.#content = contentOf(this.#document)
  }

  /** Whether something this high still has room on the page. */
  fits(height: number): boolean {
    return this.y + height <= this.#bottom
  }

  newPage(): void {
    this.#document.addPage()
    this.y = MARGIN
  }

  /** An entry in the reader’s list of contents, for this page. */
  contents(title: string): void {
    this.#document.outline.addItem(title)
  }

  /** One line of text, cut with an ellipsis where it does not fit. */
  text(text: string, x: number, y: number, width: number, style: PdfTextStyle): void {
    const { size, bold = false, colour = INK, align = 'left' } = style
    this.#document
      .font(bold ? 'Helvetica-Bold' : 'Helvetica')
      .fontSize(size)
      .fillColor(colour)
    const shown = this.#fitted(drawable(text), width)
    if (shown === '') return
    const indent = align === 'right' ? width - this.#document.widthOfString(shown) : 0
    this.#document.text(shown, x + indent, y, { lineBreak: false })
  }

  /** A filled rectangle, with corners that are round by `radius`. */
  box(x: number, y: number, width: number, height: number, colour: string, radius = 0): void {
    if (radius > 0) this.#document.roundedRect(x, y, width, height, radius).fill(colour)
    else this.#document.rect(x, y, width, height).fill(colour)
  }

  frame(x: number, y: number, width: number, height: number, colour: string, radius: number): void {
    this.#document.lineWidth(0.7).roundedRect(x, y, width, height, radius).stroke(colour)
  }

  rule(x1: number, y1: number, x2: number, y2: number, colour: string): void {
    this.#document.lineWidth(0.4).moveTo(x1, y1).lineTo(x2, y2).stroke(colour)
  }

  /** The file, with a footer on each page: what it is, and which page of how many. */
  finish(footer: string): Promise<Uint8Array> {
    const { count } = this.#document.bufferedPageRange()
    const y = this.#bottom + FOOTER_HEIGHT - 8
    for (let page = 0; page < count; page += 1) {
      this.#document.switchToPage(page)
      this.text(footer, this.left, y, this.width - 100, { size: 8, colour: SOFT_INK })
      const number = `Page ${page + 1} of ${count}`
      this.text(number, this.left + this.width - 100, y, 100, { size: 8, colour: SOFT_INK, align: 'right' })
    }
    this.#document.end()
    return this.#content
  }

  /** With the font that is set. */
  #fitted(text: string, width: number): string {
    if (this.#document.widthOfString(text) <= width) return text
    const characters = [...text]
    let low = 0
    let high = characters.length
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      const fits = this.#document.widthOfString(`${characters.slice(0, middle).join('')}…`) <= width
      if (fits) low = middle
      else high = middle - 1
    }
    return low === 0 ? '' : `${characters.slice(0, low).join('')}…`
  }
}

function contentOf(document: PDFKit.PDFDocument): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    document.on('data', (chunk: Buffer) => chunks.push(chunk))
    document.on('end', () => resolve(Buffer.concat(chunks)))
    document.on('error', reject)
  })
}
