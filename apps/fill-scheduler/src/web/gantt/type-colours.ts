/** How many colours there are for types of lots; with more types they begin anew. */
export const TYPE_COLOURS = 10
