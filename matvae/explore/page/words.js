// Numbers in words, as the page writes them everywhere.

export const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
export const column = (values, k) => values.map((row) => row[k]).filter((v) => v !== null);

export const sentence = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1)}.` : "");
export const withUnit = (name, unit) => (unit ? `${name} (${unit})` : name);
export const percent = (v) => `${Number((100 * v).toPrecision(2))} %`;
export const number = (v) => (Math.abs(v) >= 1e5 || (v !== 0 && Math.abs(v) < 1e-3) ? v.toExponential(2) : String(Number(v.toPrecision(3))));

// Percentage of the voxels that are of a phase.
export function share(labels, phase) {
  let n = 0;
  for (const label of labels) n += label === phase;
  return `${(100 * n / labels.length).toFixed(1)} %`;
}
