/** Stands for node:assert/strict outside of Node. */
import assert from "assert";

export default assert.strict;
