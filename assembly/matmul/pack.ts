/**
 * Packing: a block of A or B is rewritten as panels that the register tile reads front to back.
 *
 * A panel holds `lanes` rows of A (or columns of B) beside each other: element (lane, depth) of the panel lies at
 * depth × pitch + lane. Transposes and strides disappear here, so one micro-kernel serves all of them.
 */
import { clear } from "../map";

/**
 * Steps packed per visit to a panel when the lanes lie side by side in the source: each step reads another row of it, and the rows
 * of a strip stay cached from one panel to the next. Prefetchers follow about twelve rows (64 MiB from memory by strips of 8, 12 and
 * 16: 4.6, 5.6 and 6.6 ms), and fewer steps pay for more visits.
 */
// @ts-ignore: decorator
@inline
const STRIP: i32 = 8;

/**
 * Where a panel's elements come from. `copy` writes 8, 6, 4, 2 or 1 neighbouring lanes over `depth` steps to `panel`, whose
 * steps are `pitch` bytes apart; six of them are a whole panel. `copyPair` fills two panels of eight lanes each from sixteen that lie
 * side by side, `copyPanels` neighbouring panels of four to eight lanes that all lie side by side. Strides are in bytes. A convolution
 * adds a source that walks an image patch.
 */
export interface PanelSource {
  copy(panel: usize, pitch: usize, source: usize, lanes: i32, depth: i32, laneStride: usize, depthStride: usize): void;
  copyPair(panel: usize, next: usize, source: usize, depth: i32, depthStride: usize): void;
  copyPanels(panels: i32, packed: usize, source: usize, width: i32, depth: i32, depthStride: usize): void;
}

/** A matrix with any two strides; its contiguous direction, whichever it is, moves as vectors. */
@final
export class StridedMatrix implements PanelSource {
  @inline
  copy(panel: usize, pitch: usize, source: usize, lanes: i32, depth: i32, laneStride: usize, depthStride: usize): void {
    if (lanes == 8) copyEight(panel, pitch, source, depth, depthStride);
    else if (lanes == 4 && laneStride == 4) copyFour(panel, pitch, source, depth, depthStride);
    else if (lanes == 6) transposeSix(panel, source, depth, laneStride);
    else if (lanes == 4 && depthStride == 4) transposeFour(panel, pitch, source, depth, laneStride);
    else if (lanes == 2 && laneStride == 4) copyTwo(panel, pitch, source, depth, depthStride);
    else if (lanes == 2 && depthStride == 4) transposeTwo(panel, pitch, source, depth, laneStride);
    else copyLanes(panel, pitch, source, lanes, depth, laneStride, depthStride);
  }

  @inline
  copyPair(panel: usize, next: usize, source: usize, depth: i32, depthStride: usize): void {
    copySixteen(panel, next, source, depth, depthStride);
  }

  @inline
  copyPanels(panels: i32, packed: usize, source: usize, width: i32, depth: i32, depthStride: usize): void {
    copyBeside(panels, packed, source, width, depth, depthStride);
  }
}

/** Sixteen lanes side by side, a whole line of cache: the first eight go to `panel`, the others to `next`. */
function copySixteen(panel: usize, next: usize, source: usize, depth: i32, depthStride: usize): void {
  const end = panel + (<usize>depth << 5);
  while (panel != end) {
    const v0 = v128.load(source), v1 = v128.load(source, 16), v2 = v128.load(source, 32), v3 = v128.load(source, 48);
    v128.store(panel, v0), v128.store(panel, v1, 16);
    v128.store(next, v2), v128.store(next, v3, 16);
    panel += 32;
    next += 32;
    source += depthStride;
  }
}

/**
 * Neighbouring panels of four to eight lanes, all of which lie side by side in the source: four steps of each, panel after panel
 * (128 × 128: 0.23 to 0.12 ns a float by panels of six).
 */
function copyBeside(panels: i32, packed: usize, source: usize, width: i32, depth: i32, depthStride: usize): void {
  const bytes = <usize>width << 2;
  const panelBytes = bytes * <usize>depth;
  let p = 0;
  for (; p + 4 <= depth; p += 4) {
    let to = packed;
    let from = source;
    for (let panel = 0; panel < panels; ++panel) {
      copyStep(to, from, bytes);
      copyStep(to + bytes, from + depthStride, bytes);
      copyStep(to + 2 * bytes, from + 2 * depthStride, bytes);
      copyStep(to + 3 * bytes, from + 3 * depthStride, bytes);
      to += panelBytes;
      from += bytes;
    }
    packed += 4 * bytes;
    source += 4 * depthStride;
  }
  for (; p < depth; ++p) {
    for (let panel = 0; panel < panels; ++panel) {
      copyStep(packed + <usize>panel * panelBytes, source + <usize>panel * bytes, bytes);
    }
    packed += bytes;
    source += depthStride;
  }
}

/** 16 to 32 bytes, by two vectors, which may overlap. */
// @ts-ignore: decorator
@inline
function copyStep(to: usize, from: usize, bytes: usize): void {
  const second = bytes - 16;
  v128.store(to, v128.load(from));
  v128.store(to + second, v128.load(from + second));
}

/** Eight lanes side by side in the source. */
function copyEight(panel: usize, pitch: usize, source: usize, depth: i32, depthStride: usize): void {
  for (let p = 0; p < depth; ++p) {
    v128.store(panel, v128.load(source));
    v128.store(panel, v128.load(source, 16), 16);
    panel += pitch;
    source += depthStride;
  }
}

/** Four lanes side by side in the source. */
function copyFour(panel: usize, pitch: usize, source: usize, depth: i32, depthStride: usize): void {
  for (let p = 0; p < depth; ++p) {
    v128.store(panel, v128.load(source));
    panel += pitch;
    source += depthStride;
  }
}

/** Two lanes side by side in the source. */
function copyTwo(panel: usize, pitch: usize, source: usize, depth: i32, depthStride: usize): void {
  for (let p = 0; p < depth; ++p) {
    store<u64>(panel, load<u64>(source));
    panel += pitch;
    source += depthStride;
  }
}

/** Four lanes, each with its depth side by side in the source: 4 × 4 transposes in registers. */
function transposeFour(panel: usize, pitch: usize, source: usize, depth: i32, laneStride: usize): void {
  const source1 = source + laneStride;
  const source2 = source1 + laneStride;
  const source3 = source2 + laneStride;
  const bytes = <usize>depth << 2;
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    const row0 = v128.load(source + at);
    const row1 = v128.load(source1 + at);
    const row2 = v128.load(source2 + at);
    const row3 = v128.load(source3 + at);
    const low01 = v128.shuffle<f32>(row0, row1, 0, 4, 1, 5);
    const high01 = v128.shuffle<f32>(row0, row1, 2, 6, 3, 7);
    const low23 = v128.shuffle<f32>(row2, row3, 0, 4, 1, 5);
    const high23 = v128.shuffle<f32>(row2, row3, 2, 6, 3, 7);
    v128.store(panel, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
    panel += pitch;
    v128.store(panel, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7));
    panel += pitch;
    v128.store(panel, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5));
    panel += pitch;
    v128.store(panel, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7));
    panel += pitch;
  }
  copyLanes(panel, pitch, source + at, 4, <i32>((bytes - at) >> 2), laneStride, 4);
}

/** Six lanes, which fill a panel, each with its depth side by side in the source: four steps of them are six whole vectors. */
function transposeSix(panel: usize, source: usize, depth: i32, laneStride: usize): void {
  const source1 = source + laneStride;
  const source2 = source1 + laneStride;
  const source3 = source2 + laneStride;
  const source4 = source3 + laneStride;
  const source5 = source4 + laneStride;
  const bytes = <usize>depth << 2;
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    const row0 = v128.load(source + at);
    const row1 = v128.load(source1 + at);
    const row2 = v128.load(source2 + at);
    const row3 = v128.load(source3 + at);
    const row4 = v128.load(source4 + at);
    const row5 = v128.load(source5 + at);
    const low01 = v128.shuffle<f32>(row0, row1, 0, 4, 1, 5);
    const low23 = v128.shuffle<f32>(row2, row3, 0, 4, 1, 5);
    const low45 = v128.shuffle<f32>(row4, row5, 0, 4, 1, 5);
    const high01 = v128.shuffle<f32>(row0, row1, 2, 6, 3, 7);
    const high23 = v128.shuffle<f32>(row2, row3, 2, 6, 3, 7);
    const high45 = v128.shuffle<f32>(row4, row5, 2, 6, 3, 7);
    v128.store(panel, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
    v128.store(panel, v128.shuffle<f32>(low45, low01, 0, 1, 6, 7), 16);
    v128.store(panel, v128.shuffle<f32>(low23, low45, 2, 3, 6, 7), 32);
    v128.store(panel, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), 48);
    v128.store(panel, v128.shuffle<f32>(high45, high01, 0, 1, 6, 7), 64);
    v128.store(panel, v128.shuffle<f32>(high23, high45, 2, 3, 6, 7), 80);
    panel += 96;
  }
  copyLanes(panel, 24, source + at, 6, <i32>((bytes - at) >> 2), laneStride, 4);
}

/** Two lanes, each with its depth side by side in the source. */
function transposeTwo(panel: usize, pitch: usize, source: usize, depth: i32, laneStride: usize): void {
  const source1 = source + laneStride;
  const bytes = <usize>depth << 2;
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    const row0 = v128.load(source + at);
    const row1 = v128.load(source1 + at);
    const low = v128.shuffle<f32>(row0, row1, 0, 4, 1, 5);
    const high = v128.shuffle<f32>(row0, row1, 2, 6, 3, 7);
    v128.store64_lane(panel, low, 0);
    panel += pitch;
    v128.store64_lane(panel, low, 1);
    panel += pitch;
    v128.store64_lane(panel, high, 0);
    panel += pitch;
    v128.store64_lane(panel, high, 1);
    panel += pitch;
  }
  copyLanes(panel, pitch, source + at, 2, <i32>((bytes - at) >> 2), laneStride, 4);
}

/** Any lanes and strides, element by element. */
function copyLanes(
  panel: usize, pitch: usize, source: usize, lanes: i32, depth: i32, laneStride: usize, depthStride: usize,
): void {
  for (let lane = 0; lane < lanes; ++lane) {
    let from = source;
    let to = panel;
    for (let p = 0; p < depth; ++p) {
      store<f32>(to, load<f32>(from));
      to += pitch;
      from += depthStride;
    }
    source += laneStride;
    panel += 4;
  }
}

/**
 * Packs lanes [0, lanes) × steps [0, depth) of the source as `panels` panels, lanes dealt evenly; a panel's pitch is its
 * own number of lanes, so panel i begins at depth × (its first lane).
 */
export function packRows<S extends PanelSource>(
  panels: i32, packed: usize, source: usize, lanes: i32, depth: i32, laneStride: usize, depthStride: usize,
): void {
  const share = lanes / panels;
  const larger = lanes - panels * share;
  packPanels<S>(larger, packed, source, share + 1, depth, laneStride, depthStride);
  const first = <usize>(larger * (share + 1));
  packPanels<S>(panels - larger, packed + (first * <usize>depth << 2), source + first * laneStride, share, depth, laneStride, depthStride);
}

/** Packs `panels` neighbouring panels of `width` lanes each. */
// @ts-ignore: decorator
@inline
function packPanels<S extends PanelSource>(
  panels: i32, packed: usize, source: usize, width: i32, depth: i32, laneStride: usize, depthStride: usize,
): void {
  if (laneStride == 4 && width >= 4) return changetype<S>(0).copyPanels(panels, packed, source, width, depth, depthStride);
  for (let panel = 0; panel < panels; ++panel) {
    packStrip<S>(packed, <usize>width << 2, source, width, depth, laneStride, depthStride);
    packed += <usize>(width * depth) << 2;
    source += <usize>width * laneStride;
  }
}

/**
 * Packs lanes [0, lanes) × steps [0, depth) of the source as panels of `pitch` lanes; the lanes that the last panel lacks
 * are filled with zeros. Panels of eight go in pairs where a line of the source holds both (256 × 784: 0.18 to 0.13 ns a float).
 */
export function packColumns<S extends PanelSource>(
  pitch: i32, packed: usize, source: usize, lanes: i32, depth: i32, laneStride: usize, depthStride: usize,
): void {
  const step = laneStride == 4 ? STRIP : depth;
  for (let p = 0; p < depth; p += step) {
    const strip = min(step, depth - p);
    let first = 0;
    for (; pitch == 8 && laneStride == 4 && lanes - first >= 16; first += 16) {
      const to = packed + (<usize>(first * depth + p * 8) << 2);
      const next = to + (<usize>depth << 5);
      changetype<S>(0).copyPair(to, next, source + <usize>first * 4 + <usize>p * depthStride, strip, depthStride);
    }
    for (; first < lanes; first += pitch) {
      const to = packed + (<usize>(first * depth + p * pitch) << 2);
      const width = min(pitch, lanes - first);
      if (width < pitch) clear(to, strip * pitch);
      packStrip<S>(
        to, <usize>pitch << 2,
        source + <usize>first * laneStride + <usize>p * depthStride, width, strip, laneStride, depthStride,
      );
    }
  }
}

/** One strip of one panel: lanes by eight where they lie side by side, by four, then by two, then by one. */
// @ts-ignore: decorator
@inline
function packStrip<S extends PanelSource>(
  panel: usize, pitch: usize, source: usize, lanes: i32, depth: i32, laneStride: usize, depthStride: usize,
): void {
  let lane = 0;
  while (lane < lanes) {
    const left = lanes - lane;
    const some = left >= 8 && laneStride == 4 ? 8 : left == 6 && pitch == 24 && depthStride == 4 ? 6 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    changetype<S>(0).copy(
      panel + (<usize>lane << 2), pitch,
      source + <usize>lane * laneStride, some, depth, laneStride, depthStride,
    );
    lane += some;
  }
}
