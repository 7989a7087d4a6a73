/** Serves a static folder on this machine as a plain web server would: compressed, and without special headers unless asked. */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
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

export interface Serving {
  /** With a slash at its end. */
  readonly address: string;
  close(): void;
}

/** Serves `folder` at `port`, any free one by default. */
export async function serveFolder(folder: string, port = 0): Promise<Serving> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const name = path.normalize(decodeURIComponent(pathname.endsWith("/") ? `${pathname}index.html` : pathname));
    const type = TYPES[path.extname(name)];
    readFile(path.join(folder, name)).then(
      (content) => {
        response.setHeader("Content-Type", type ?? "application/octet-stream");
        response.setHeader("Cache-Control", "no-cache");
        if (type === undefined) return response.end(content); // data, compressed as it is
        response.setHeader("Content-Encoding", "gzip");
        response.end(gzipSync(content));
      },
      () => response.writeHead(404).end(),
    );
  });
  await listen(server, port);
  return {
    address: `http://localhost:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
}
