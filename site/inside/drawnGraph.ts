/** Draws a graph of gates from left to right: above each edge the value that flows forward, below it the gradient that returns. */
import { short } from "../elements.js";

export type ExpressionName = "gates" | "neuron" | "softplus";

/** An evaluated graph. Inputs have no sign; gates come in order, the last one the result. */
export interface Drawn {
  readonly nodes: readonly { readonly name: string; readonly value: number; readonly sign: string | undefined }[];
  readonly edges: readonly { readonly from: string; readonly to: string; readonly gradient: number }[];
}

interface Place {
  readonly x: number;
  readonly y: number;
}

const COLUMN = 190;
const ROW = 112;
const RADIUS = 24;
const MARGIN = 44;

/** Gates stand one column behind the last of what they take, at the middle height of it; nothing overlaps. */
function layOut({ nodes, edges }: Drawn): Map<string, Place> {
  const places = new Map<string, Place>();
  const taken = new Map<number, number[]>();
  let inputs = 0;
  for (const { name, sign } of nodes) {
    const before = edges.filter(({ to }) => to === name).map(({ from }) => places.get(from)!);
    const x = sign === undefined ? 0 : Math.max(...before.map((place) => place.x)) + COLUMN;
    let y = sign === undefined ? ROW * inputs++ : before.reduce((sum, place) => sum + place.y, 0) / before.length;
    const column = taken.get(x) ?? [];
    while (column.some((other) => Math.abs(other - y) < ROW * 0.8)) y += ROW / 2;
    taken.set(x, [...column, y]);
    places.set(name, { x, y });
  }
  return places;
}

function svg<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Record<string, string | number>,
  text = "",
): SVGElementTagNameMap[K] {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.textContent = text;
  return made;
}

/** An edge from one node's rim to another's, with the value above and the gradient below its middle. */
function drawEdge(from: Place, to: Place, value: number, gradient: number): SVGElement[] {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const [dx, dy] = [(to.x - from.x) / length, (to.y - from.y) / length];
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  const label = (kind: string, number: number, offset: number) =>
    svg("text", { class: kind, x: middle.x - offset * dy, y: middle.y + offset * dx + 4 }, short(number));
  return [
    svg("line", {
      x1: from.x + RADIUS * dx,
      y1: from.y + RADIUS * dy,
      x2: to.x - RADIUS * dx,
      y2: to.y - RADIUS * dy,
    }),
    label("value", value, -12),
    label("gradient", gradient, 13),
  ];
}

export function drawGraph(place: SVGSVGElement, drawn: Drawn): void {
  const places = layOut(drawn);
  const at = (name: string) => places.get(name)!;
  const values = new Map(drawn.nodes.map(({ name, value }) => [name, value]));
  const result = drawn.nodes.at(-1)!;
  const end = { x: at(result.name).x + COLUMN * 0.6, y: at(result.name).y };
  const all = [...places.values(), end];
  const width = Math.max(...all.map(({ x }) => x)) + 2 * MARGIN;
  const height = Math.max(...all.map(({ y }) => y)) + 2 * MARGIN;
  const group = svg("g", { transform: `translate(${MARGIN} ${MARGIN})` });
  for (const { from, to, gradient } of drawn.edges) {
    group.append(...drawEdge(at(from), at(to), values.get(from)!, gradient));
  }
  group.append(...drawEdge(at(result.name), end, result.value, 1));
  for (const { name, sign } of drawn.nodes) {
    const { x, y } = at(name);
    const kind = sign === undefined ? "input" : "gate";
    group.append(
      svg("circle", { class: kind, cx: x, cy: y, r: RADIUS }),
      svg("text", { class: kind, x, y: y + 5 }, sign ?? name),
    );
  }
  place.setAttribute("viewBox", `0 0 ${width} ${height}`);
  place.style.maxWidth = `${width}px`;
  place.replaceChildren(group);
  const flows = drawn.edges.map(({ from, to, gradient }) => {
    return `${from} = ${short(values.get(from)!)} to ${to}, gradient ${short(gradient)}`;
  });
  place.setAttribute("aria-label", `Graph with result ${short(result.value)}: ${flows.join("; ")}`);
}
