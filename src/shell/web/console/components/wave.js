// The picture of a recording: the caller above the middle, the dispatcher below, what was heard already stronger;
// stretches that were not recorded hatched, marks as lines. And what follows from the picture: where nobody speaks.

/// Quieter than this, in percent, nobody speaks.
const QUIET = 3;
/// Shorter pauses belong to the talk.
const SHORTEST_SILENCE_MS = 1500;

export function drawWave(canvas, { peaks, at, length, pauses, marks }) {
  const scale = window.devicePixelRatio || 1;
  const [wide, high] = [canvas.clientWidth, canvas.clientHeight];
  if (!wide) return;
  if (canvas.width !== Math.round(wide * scale)) [canvas.width, canvas.height] = [Math.round(wide * scale), Math.round(high * scale)];
  const pen = canvas.getContext('2d');
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, wide, high);
  const style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(name);
  const place = (ms) => (length ? (ms / length) * wide : 0);
  if (peaks) {
    const most = Math.max(1, ...peaks.left, ...peaks.right);
    side(pen, peaks.left, colour('--busy'), -1, { wide, high, most, heard: place(at) });
    side(pen, peaks.right, colour('--good'), 1, { wide, high, most, heard: place(at) });
  }
  for (const pause of pauses) hatch(pen, place(pause.from_ms), place(pause.to_ms), high, colour('--warn'));
  pen.fillStyle = colour('--bad');
  for (const mark of marks) pen.fillRect(place(mark.at_ms) - 1, 0, 2, high);
  pen.fillStyle = colour('--ink');
  pen.fillRect(place(at) - 0.5, 0, 1.5, high);
}

function side(pen, values, colour, way, { wide, high, most, heard }) {
  if (!values.length) return;
  pen.fillStyle = colour;
  const step = wide / values.length;
  values.forEach((value, index) => {
    const left = index * step;
    pen.globalAlpha = left < heard ? 1 : 0.5;
    const tall = (value / most) * (high / 2 - 2);
    pen.fillRect(left, way < 0 ? high / 2 - tall : high / 2, Math.max(0.6, step - 0.3), tall);
  });
  pen.globalAlpha = 1;
}

function hatch(pen, from, to, high, colour) {
  pen.save();
  pen.beginPath();
  pen.rect(from, 0, Math.max(2, to - from), high);
  pen.clip();
  pen.globalAlpha = 0.2;
  pen.fillStyle = colour;
  pen.fillRect(from, 0, Math.max(2, to - from), high);
  pen.globalAlpha = 1;
  pen.strokeStyle = colour;
  for (let x = from - high; x < to; x += 7) {
    pen.beginPath();
    pen.moveTo(x, high);
    pen.lineTo(x + high, 0);
    pen.stroke();
  }
  pen.restore();
}

/// Stretches in which nobody speaks, as `[from, to]` in milliseconds.
export function silences({ duration_ms: length, left, right }) {
  const parts = left.length;
  const found = [];
  let from = null;
  for (let index = 0; index <= parts; index += 1) {
    const quiet = index < parts && left[index] <= QUIET && (right[index] || 0) <= QUIET;
    if (quiet && from === null) from = index;
    if (!quiet && from !== null) {
      const [begin, end] = [(from / parts) * length, (index / parts) * length];
      if (end - begin >= SHORTEST_SILENCE_MS) found.push([begin, end]);
      from = null;
    }
  }
  return found;
}
