/** @file Nodes of a graph in the order in which they can be worked out. */

/**
 * The nodes that lead to `roots`, each once and after what it reads: depth first, in the order of roots and inputs.
 * @param inputsOf what a node reads; asked once per node
 * @param cycle makes the error for a node that leads to itself
 */
export function inputsFirst<T>(roots: Iterable<T>, inputsOf: (node: T) => readonly T[], cycle: (node: T) => Error): T[] {
  const state = new Map<T, "open" | "done">();
  const found: T[] = [];
  // A stack of our own: a deep network would overflow that of calls.
  const stack: { readonly node: T; readonly inputs: readonly T[]; next: number }[] = [];
  const visit = (node: T) => {
    if (state.get(node) === "done") return;
    if (state.get(node) === "open") throw cycle(node);
    state.set(node, "open");
    stack.push({ node, inputs: inputsOf(node), next: 0 });
  };
  for (const root of roots) {
    visit(root);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      if (top.next < top.inputs.length) visit(top.inputs[top.next++]);
      else {
        state.set(top.node, "done");
        found.push(top.node);
        stack.pop();
      }
    }
  }
  return found;
}
