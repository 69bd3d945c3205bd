/**
 * @file Siemens' CSA header: a private element that holds a table of named texts. Of the form SV10 and of the older one without a mark, in which lengths are
 * counted from the number of items of the first entry; as NiBabel's documentation of it describes both.
 */

const [nameBytes, entryBytes, itemBytes] = [64, 84, 16];
const mostEntries = 1024;

/** The values of an entry, as the texts they are; [] if there is none, or what is there is no such table. */
export function csaValues(bytes: Uint8Array, name: string): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const latin1 = new TextDecoder("latin1");
  const textAt = (at: number, length: number): string => {
    const [text] = latin1.decode(bytes.subarray(at, at + length)).split("\0", 1);
    return text.trim();
  };
  const marked = textAt(0, 4) === "SV10";
  let at = marked ? 8 : 0;
  if (at + 8 > bytes.length) return [];
  const entries = view.getUint32(at, true);
  if (entries > mostEntries) return [];
  at += 8;
  let base = 0;
  for (let entry = 0; entry < entries; entry++) {
    if (at + entryBytes > bytes.length) return [];
    const found = textAt(at, nameBytes) === name;
    const items = view.getUint32(at + 76, true);
    if (entry === 0) base = items;
    at += entryBytes;
    const values: string[] = [];
    for (let item = 0; item < items; item++) {
      if (at + itemBytes > bytes.length) return [];
      const length = marked ? view.getInt32(at + 4, true) : view.getInt32(at, true) - base;
      at += itemBytes;
      if (length < 0 || at + length > bytes.length) {
        // Unmarked tables have items whose length means nothing; the next entry follows.
        if (marked) return [];
        break;
      }
      if (length > 0) values.push(textAt(at, length));
      at += Math.ceil(length / 4) * 4;
    }
    if (found) return values;
  }
  return [];
}
