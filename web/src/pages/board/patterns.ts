/** Colours of the theme, and patterns of them, for what is drawn on a canvas. */
import type { Shade } from "./Plot";

/** The value of a token just now. */
export const ink = (token: string) => getComputedStyle(document.documentElement).getPropertyValue(token).trim();

const made = new Map<string, CanvasPattern | null>();

/** What an area is filled with. */
export function patternOf(ctx: CanvasRenderingContext2D, colour: string, shade: Shade): CanvasPattern | string {
  if (shade === "plain") return `color-mix(in srgb, ${colour} 24%, transparent)`;
  const key = `${shade} ${colour} ${devicePixelRatio}`;
  if (!made.has(key)) made.set(key, ctx.createPattern(tile(colour, shade), "repeat"));
  return made.get(key) ?? colour;
}

function tile(colour: string, shade: Shade): HTMLCanvasElement {
  const size = Math.round(6 * devicePixelRatio);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const ctx = canvas.getContext("2d")!;
  ctx.fillStyle = ctx.strokeStyle = colour;
  if (shade === "hatch") {
    ctx.lineWidth = size / 3;
    ctx.beginPath();
    for (const shift of [-size, 0, size]) {
      ctx.moveTo(shift - 1, size + 1);
      ctx.lineTo(shift + size + 1, -1);
    }
    ctx.stroke();
  } else {
    ctx.globalAlpha = 0.35;
    ctx.fillRect(0, 0, size, size);
    ctx.globalAlpha = 1;
    ctx.fillRect(size / 4, size / 4, size / 3, size / 3);
  }
  return canvas;
}
