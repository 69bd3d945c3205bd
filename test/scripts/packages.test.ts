/** @file Where the set-up gets packages from: backports from the mirror that the machine's own sources name, and from nowhere else. */

import { expect, test } from "vitest";

interface SourceFile {
  readonly name: string;
  readonly text: string;
}

const { backportsSource } = (await import(new URL("../../scripts/setup/packages.mjs", import.meta.url).href)) as {
  backportsSource: (files: readonly SourceFile[]) => { readonly format: string; readonly text: string } | undefined;
};

const list = (text: string): SourceFile => ({ name: "a.list", text });
const stanza = (text: string): SourceFile => ({ name: "b.sources", text });

test.each<[string, SourceFile, string]>([
  [
    "a line",
    list(
      "deb cdrom:[Debian 12] bookworm main\n# deb http://old.invalid/debian bookworm main\ndeb http://m.invalid/debian bookworm main contrib\n",
    ),
    "deb http://m.invalid/debian bookworm-backports main\n",
  ],
  [
    "a line with options",
    list("deb [arch=amd64 signed-by=/k.gpg]  https://m.invalid/debian  bookworm  non-free main # ours\n"),
    "deb [arch=amd64 signed-by=/k.gpg]  https://m.invalid/debian bookworm-backports main\n",
  ],
  [
    "a stanza",
    stanza(
      "# a comment\n\nTypes: deb deb-src\nURIs: http://m.invalid/debian\n# another\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /k.gpg\n",
    ),
    "Types: deb deb-src\nURIs: http://m.invalid/debian\nSuites: bookworm-backports\nComponents: main\nSigned-By: /k.gpg\n",
  ],
  [
    "a stanza of long fields behind a disabled one",
    stanza(
      "Types: deb\nURIs: http://off.invalid\nSuites: bookworm\nComponents: main\nEnabled: no\n\n" +
        "types: deb\nuris: http://m.invalid/debian\nsuites:\n bookworm-updates\n bookworm\ncomponents: main\n",
    ),
    "types: deb\nuris: http://m.invalid/debian\nSuites: bookworm-backports\ncomponents: main\n",
  ],
])("backports come from the mirror of %s", (_, file, expected) => {
  const other = list("deb http://third.invalid/apt stable main\n");
  expect(backportsSource([other, file])).toEqual({ format: file.name.split(".")[1], text: expected });
});

test("backports that the machine has already are not added", () => {
  const text = "deb http://m.invalid/debian bookworm main\ndeb http://m.invalid/debian bookworm-backports main\n";
  expect(backportsSource([list(text)])).toBeUndefined();
  expect(
    backportsSource([stanza("Types: deb\nURIs: http://m.invalid\nSuites: bookworm bookworm-backports\nComponents: main\n")]),
  ).toBeUndefined();
});

test("without a mirror of Debian 12 the error says what to do", () => {
  const files = [list("deb http://m.invalid/debian trixie main\ndeb-src http://m.invalid/debian bookworm main\n"), stanza("")];
  expect(() => backportsSource(files)).toThrow(/none of a\.list, b\.sources names the suite bookworm .* Add a Debian mirror/);
  expect(() => backportsSource([])).toThrow(/none of its files/);
});
