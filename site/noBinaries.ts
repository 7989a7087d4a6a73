/** Stands in for `#binaries`: the page fetches the one binary that its engine runs best instead of inlining all four. */
export const strict = "";
export const relaxed = "";
export const strictShared = "";
export const relaxedShared = "";
