/** What the objects are that init is given. */

/** What Object.prototype.toString says, in every realm and without WebAssembly, where instanceof fails. */
const tag = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

export const isModule = (value: unknown): value is WebAssembly.Module => tag(value) === "WebAssembly.Module";

export const isMemory = (value: unknown): value is WebAssembly.Memory => tag(value) === "WebAssembly.Memory";

export const isBuffer = (value: unknown): value is BufferSource =>
  tag(value) === "ArrayBuffer" || ArrayBuffer.isView(value);

/** Whether a memory can be seen by several threads. */
export const isShared = ({ buffer }: WebAssembly.Memory): boolean => tag(buffer) === "SharedArrayBuffer";

export const isUrl = (value: unknown): value is string | URL => typeof value === "string" || tag(value) === "URL";
