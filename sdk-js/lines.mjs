/**
 * Where the bundle's code stands in the author's files, for the place that a failure names (`failure.js` reads it).
 *
 * A source map is mostly about columns, names and other people's modules. What is left without them is one entry wherever
 * counting on from the entry before would give a wrong line: `LINE,COLUMN,FILE,LINE` in the bundle and in the file, the
 * columns from 0 on, and no file where the code is not the author's.
 */

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The table for `code` and its source map; `fileOf` gives the author's name for one of its sources, undefined for code of others. */
export function linesOf(code, { sources, mappings }, fileOf) {
  const text = code.split('\n');
  const names = sources.map(fileOf);
  const files = [...new Set(names.filter(Boolean))];
  const entries = [];
  let last = { line: 1, column: 0, file: -1, at: 0 };
  for (const { line, column, source, at } of segments(mappings)) {
    // A line's indent counts as what stands before it.
    if (text[line - 1][column] === ' ') continue;
    const file = names[source] ? files.indexOf(names[source]) : -1;
    const expected = last.at + line - last.line;
    if (file === last.file && (file === -1 || at === expected)) continue;
    last = { line, column, file, at };
    entries.push(file === -1 ? `${line},${column}` : `${line},${column},${file},${at}`);
  }
  return { files, entries: entries.join(' ') };
}

/** Line (from 1) and column of the bundle, index of the source, line (from 1) in the source. */
function* segments(mappings) {
  let [source, at] = [0, 0];
  for (const [index, group] of mappings.split(';').entries()) {
    let column = 0;
    for (const segment of group.split(',').filter(Boolean)) {
      const [columns, sources, lines] = numbers(segment);
      column += columns;
      if (sources === undefined) continue;
      source += sources;
      at += lines;
      yield { line: index + 1, column, source, at: at + 1 };
    }
  }
}

/** Base64 digits of 5 bits, the lowest first; the sixth bit says that more follow, the lowest of the number is its sign. */
function numbers(segment) {
  const found = [];
  let [value, shift] = [0, 0];
  for (const digit of segment) {
    const bits = BASE64.indexOf(digit);
    value += (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    found.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return found;
}
