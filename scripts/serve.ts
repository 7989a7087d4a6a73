/** Serves a static folder on this machine as a plain web server would: compressed, and without special headers unless asked. */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { gzipSync } from "node:zlib";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".json": "application/json",
};

/** What makes a page cross-origin isolated: shared memory and finer clocks. */
export const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export interface ServeOptions {
  /** By default any that is free. */
  readonly port?: number;
  /** The path under which the folder lies, with a slash at both ends. */
  readonly base?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Files by their names in the folder, in place of those that lie there. */
  readonly overlay?: Readonly<Record<string, string | Uint8Array>>;
  /** Gets the body of every POST, whatever its path. */
  readonly onPost?: (body: string) => void;
}

export interface Serving {
  /** Of the folder, with a slash at its end. */
  readonly address: string;
  close(): void;
}

/** Serves until `close`; rejects where the port is taken. */
export async function serveFolder(folder: string, options: ServeOptions = {}): Promise<Serving> {
  const { port = 0, base = "/", headers = {}, overlay = {}, onPost } = options;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.setHeaders(new Map(Object.entries({ ...headers, "Cache-Control": "no-cache" })));
    if (request.method === "POST" && onPost) {
      const chunks = (await request.toArray()) as Buffer[];
      response.writeHead(204).end();
      onPost(Buffer.concat(chunks).toString());
      return;
    }
    const name = fileName(request.url ?? "/", base);
    const content = name === undefined ? undefined : (overlay[name] ?? (await readFile(path.join(folder, name))));
    if (name === undefined || content === undefined) throw new Error("This path is not the folder's.");
    const type = TYPES[path.extname(name)];
    response.setHeader("Content-Type", type ?? "application/octet-stream");
    if (type !== undefined) response.setHeader("Content-Encoding", "gzip"); // data is compressed as it is
    response.end(type === undefined ? content : gzipSync(content));
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.writeHead(404).end());
  });
  await listen(server, port);
  return {
    address: `http://localhost:${(server.address() as AddressInfo).port}${base}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The file that a URL asks for, from the folder; undefined outside of it. */
function fileName(url: string, base: string): string | undefined {
  const pathname = path.posix.normalize(decodeURIComponent(new URL(url, "http://localhost").pathname));
  if (!pathname.startsWith(base)) return undefined;
  const name = pathname.slice(base.length);
  return name === "" || name.endsWith("/") ? `${name}index.html` : name;
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
}
