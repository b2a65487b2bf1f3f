/**
 * Cases that neardns has wrong today, by name. The list may only shrink: a case that turns right is taken off, and none
 * is added without a word in its commit why it cannot be right yet.
 */
export const expectedWrong: readonly string[] = []
