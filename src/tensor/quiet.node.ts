export const quietly = <T>(fn: () => T): T => fn();
