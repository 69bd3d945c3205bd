/** @file What GitHub reads: the workflow runs what CI runs here, and the forms of issues are such as GitHub takes. */

import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { root } from "../lib/package.ts";

const read = (file: string) => parse(readFileSync(join(root, file), "utf8"));

test("the workflow calls .ci/run, which is there to be run, on every push and pull request, and may only read", () => {
  const { on, jobs, permissions } = read(".github/workflows/ci.yml");
  expect(Object.keys(on).toSorted()).toEqual(["pull_request", "push"]);
  expect(permissions).toEqual({ contents: "read" });
  const steps = Object.values(jobs as Record<string, { steps: { run?: string; uses?: string }[] }>).flatMap((j) => j.steps);
  const commands = steps.flatMap(({ run }) => run ?? []);
  expect(commands).toEqual([".ci/run"]);
  for (const command of commands) accessSync(join(root, command), constants.X_OK);
  for (const { uses } of steps) if (uses !== undefined) expect(uses).toMatch(/^actions\/[\w-]+@v\d+$/);
});

const folder = ".github/ISSUE_TEMPLATE";
const forms = readdirSync(join(root, folder)).filter((name) => name !== "config.yml");

test("there is a form for a bug, for wrong numbers and for a new operation", () => {
  expect(forms.toSorted()).toEqual(["bug.yml", "new_op.yml", "wrong_numbers.yml"]);
});

interface Field {
  readonly type: string;
  readonly id: string;
  readonly attributes: { readonly label: string; readonly description?: string; readonly options?: readonly unknown[] };
}

// https://docs.github.com/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema
const types = ["checkboxes", "dropdown", "input", "textarea"];

test.each(forms)("%s is a form: fields of known types with names of their own, and the pages that it names are there", (name) => {
  const { name: title, description, labels, body } = read(`${folder}/${name}`) as Record<string, unknown> & { body: Field[] };
  for (const text of [title, description]) expect(text).toEqual(expect.any(String));
  expect(labels).toHaveLength(1);
  expect(new Set(body.map((f) => f.id)).size).toBe(body.length);
  for (const { type, id, attributes } of body) {
    expect(types, id).toContain(type);
    expect(id).toMatch(/^[a-z]+$/);
    expect(attributes.label, id).toMatch(/\S/);
    if (type === "dropdown" || type === "checkboxes") expect(attributes.options!.length, id).toBeGreaterThan(0);
  }
  for (const [page] of readFileSync(join(root, folder, name), "utf8").matchAll(/docs\/[\w/]+\.md|[A-Z]+\.md/g))
    expect(existsSync(join(root, page)), page).toBe(true);
});
