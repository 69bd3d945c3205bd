/** @file Texts of DICOM files by their Specific Character Set (PS3.3 section C.12.1.1.2). */

/** Encodings by the standard's names; ISO 2022 variants are read by their first set. */
const encodings: Readonly<Record<string, string>> = {
  "ISO_IR 100": "latin1",
  "ISO_IR 101": "iso-8859-2",
  "ISO_IR 109": "iso-8859-3",
  "ISO_IR 110": "iso-8859-4",
  "ISO_IR 144": "iso-8859-5",
  "ISO_IR 127": "iso-8859-6",
  "ISO_IR 126": "iso-8859-7",
  "ISO_IR 138": "iso-8859-8",
  "ISO_IR 166": "windows-874",
  "ISO_IR 13": "shift_jis",
  "ISO_IR 192": "utf-8",
  GB18030: "gb18030",
  GBK: "gbk",
};

/** The text without the NULs and spaces that fill it. */
export function decodeText(bytes: Uint8Array, charset: string): string {
  const first = charset.split("\\")[0].replace("ISO 2022 IR", "ISO_IR").trim();
  const text = new TextDecoder(encodings[first] ?? "latin1").decode(bytes);
  return text.replaceAll("\0", "").trim();
}
