/**
 * @file Python's pickle (protocols 0 to 5, https://github.com/python/cpython/blob/main/Lib/pickletools.py) read as data. Nothing is ever imported
 * or called: a class becomes an inert `PickledObject`, and only the callables that the `PickleHost` knows give a value. A file that asks for
 * anything else to be called is refused, by the callable's name.
 */
import type { Budget, Fail } from "../../host/bytes/budget.ts";
import { PickleBytes } from "./pickle_bytes.ts";
import { PickledGlobal, PickledObject, type PickleHost, type Unpickled } from "./pickle_values.ts";

// What things take in V8 at the moment they grow, measured over files of nothing else: tables and lists are copied when they are full.
const cost = { slot: 16, number: 32, list: 112, object: 144, map: 320, entry: 112 } as const;

// Python 2's names.
const renamed: Readonly<Record<string, string>> = { __builtin__: "builtins", copy_reg: "copyreg" };

const empty: readonly unknown[] = Object.freeze([]);

/**
 * Reads one pickle.
 * @param bytes holds the pickle from `start`; more may follow
 * @throws FormatError for a damaged pickle, and one that asks for something to be called that is not known
 */
export function unpickle(bytes: Uint8Array, start: number, host: PickleHost, budget: Budget, fail: Fail): Unpickled {
  return new Unpickler(new PickleBytes(bytes, start, budget, fail), host).run();
}

class Unpickler {
  private readonly bytes: PickleBytes;
  private readonly host: PickleHost;
  private readonly stack: unknown[] = [];
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, unknown>();
  private highest = 0;

  constructor(bytes: PickleBytes, host: PickleHost) {
    this.bytes = bytes;
    this.host = host;
  }

  run(): Unpickled {
    for (;;) {
      const code = this.bytes.u8();
      if (code === 0x2e) return { value: this.pop(), end: this.bytes.at }; // STOP
      this.step(code);
      const depth = this.stack.length + this.marks.length;
      if (depth > this.highest) {
        this.bytes.take(2 * cost.slot * (depth - this.highest));
        this.highest = depth;
      }
    }
  }

  /** One opcode, named as in pickletools. */
  private step(code: number): void {
    const { bytes } = this;
    switch (String.fromCharCode(code)) {
      // The stack
      case "(": // MARK
        return void this.marks.push(this.stack.length);
      case "0": // POP: of a mark if nothing is above it
        return void (this.marks.at(-1) === this.stack.length ? this.marks.pop() : this.pop());
      case "1": // POP_MARK
        return void this.popMark();
      case "2": // DUP
        return this.push(this.top());
      // Constants and numbers
      case "N": // NONE
        return this.push(null);
      case "\x88": // NEWTRUE
      case "\x89": // NEWFALSE
        return this.push(code === 0x88);
      case "I": // INT; 00 and 01 are the booleans of protocol 0
        return this.pushInt(bytes.line());
      case "L": // LONG
        return this.push(bytes.integer(bytes.line().replace(/L$/, "")));
      case "J": // BININT
        return this.push(bytes.i32());
      case "K": // BININT1
        return this.push(bytes.u8());
      case "M": // BININT2
        return this.push(bytes.u16());
      case "\x8a": // LONG1
        return this.push(bytes.long(bytes.u8()));
      case "\x8b": // LONG4
        return this.push(bytes.long(bytes.u32()));
      case "F": // FLOAT
        return this.push(bytes.float(bytes.line()));
      case "G": // BINFLOAT
        bytes.take(cost.number);
        return this.push(bytes.f64());
      // Texts and bytes
      case "S": // STRING: quoted, of Python 2
        return this.push(bytes.line().replace(/^(['"])(.*)\1$/, "$2"));
      case "T": // BINSTRING: bytes or text, of Python 2
        return this.push(bytes.text(bytes.u32(), "latin1"));
      case "U": // SHORT_BINSTRING
        return this.push(bytes.text(bytes.u8(), "latin1"));
      case "V": // UNICODE
        return this.push(bytes.line().replace(/\\u([0-9a-fA-F]{4})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))));
      case "X": // BINUNICODE
        return this.push(bytes.text(bytes.u32()));
      case "\x8c": // SHORT_BINUNICODE
        return this.push(bytes.text(bytes.u8()));
      case "\x8d": // BINUNICODE8
        return this.push(bytes.text(bytes.u64()));
      case "B": // BINBYTES
        return this.pushBytes(bytes.u32());
      case "C": // SHORT_BINBYTES
        return this.pushBytes(bytes.u8());
      case "\x8e": // BINBYTES8
      case "\x96": // BYTEARRAY8
        return this.pushBytes(bytes.u64());
      // Lists, tuples and sets
      case "]": // EMPTY_LIST
      case "\x8f": // EMPTY_SET
        bytes.take(cost.list);
        return this.push([]);
      case ")": // EMPTY_TUPLE
        return this.push(empty);
      case "l": // LIST
      case "t": // TUPLE
      case "\x91": // FROZENSET
        return this.push(this.list(this.popMark()));
      case "\x85": // TUPLE1
      case "\x86": // TUPLE2
      case "\x87": // TUPLE3
        return this.push(this.list(this.popMany(code - 0x84)));
      case "a": // APPEND
        return this.append([this.pop()]);
      case "e": // APPENDS
      case "\x90": // ADDITEMS
        return this.append(this.popMark());
      // Dicts
      case "}": // EMPTY_DICT
        bytes.take(cost.map);
        return this.push(new Map());
      case "d": // DICT
        return this.dict(this.popMark());
      case "s": // SETITEM
        return this.setItems(this.popMany(2));
      case "u": // SETITEMS
        return this.setItems(this.popMark());
      // The memo
      case "p": // PUT
        return this.put(Number(bytes.line()));
      case "q": // BINPUT
        return this.put(bytes.u8());
      case "r": // LONG_BINPUT
        return this.put(bytes.u32());
      case "\x94": // MEMOIZE
        return this.put(this.memo.size);
      case "g": // GET
        return this.get(Number(bytes.line()));
      case "h": // BINGET
        return this.get(bytes.u8());
      case "j": // LONG_BINGET
        return this.get(bytes.u32());
      // Names, objects and calls
      case "c": // GLOBAL
        return this.global(bytes.line(), bytes.line());
      case "\x93": // STACK_GLOBAL
        return this.global(...(this.popMany(2) as [unknown, unknown]));
      case "R": // REDUCE
        return this.call(...(this.popMany(2) as [unknown, unknown]));
      case "i": // INST
        this.global(bytes.line(), bytes.line());
        return this.call(this.pop(), this.popMark());
      case "o": {
        // OBJ
        const [type, ...args] = this.popMark();
        return this.call(type, args);
      }
      case "\x81": // NEWOBJ
        return this.make(...(this.popMany(2) as [unknown, unknown]));
      case "\x92": {
        // NEWOBJ_EX
        const [type, args] = this.popMany(3);
        return this.make(type, args);
      }
      case "b": // BUILD
        return this.build(this.pop());
      case "P": // PERSID
        return this.push(this.host.persistent(bytes.line()));
      case "Q": // BINPERSID
        return this.push(this.host.persistent(this.pop()));
      // Framing
      case "\x80": {
        // PROTO
        const version = bytes.u8();
        if (version > 5) throw bytes.fail(`protocol ${version} is not known`);
        return;
      }
      case "\x95": // FRAME
        return bytes.frame();
      default:
        throw bytes.fail(`opcode 0x${code.toString(16).padStart(2, "0")} is not known or not allowed`);
    }
  }

  // Making values

  private push(value: unknown): void {
    this.stack.push(value);
  }

  private pushInt(line: string): void {
    this.push(line === "00" ? false : line === "01" ? true : this.bytes.integer(line));
  }

  private pushBytes(length: number): void {
    this.bytes.take(cost.object);
    this.push(this.bytes.part(length));
  }

  private list(values: unknown[]): unknown[] {
    this.bytes.take(cost.list + cost.slot * values.length);
    return values;
  }

  // The stack

  private top(): unknown {
    this.require(1);
    return this.stack.at(-1);
  }

  /** Throws unless that many values lie above the last mark. */
  private require(count: number): void {
    if (this.stack.length - (this.marks.at(-1) ?? 0) < count) throw this.bytes.fail("the stack is empty");
  }

  private pop(): unknown {
    this.require(1);
    return this.stack.pop();
  }

  private popMany(count: number): unknown[] {
    this.require(count);
    return this.stack.splice(this.stack.length - count);
  }

  private popMark(): unknown[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.bytes.fail("there is no mark on the stack");
    return this.stack.splice(mark);
  }

  // Containers

  private append(values: unknown[]): void {
    const target = this.top();
    this.bytes.take(cost.slot * values.length);
    if (target instanceof PickledObject) return; // a kind of list: its items are of no use here
    if (!Array.isArray(target) || target === empty) throw this.bytes.fail("items are appended to what is no list");
    for (const value of values) target.push(value);
  }

  private dict(values: unknown[]): void {
    this.bytes.take(cost.map);
    this.push(new Map());
    this.setItems(values);
  }

  private setItems(values: unknown[]): void {
    const target = this.top();
    const items = target instanceof PickledObject ? (target.items ??= new Map()) : target;
    if (!(items instanceof Map) || values.length % 2 === 1) throw this.bytes.fail("items are set on what is no dict");
    this.bytes.take((cost.entry * values.length) / 2);
    for (let i = 0; i < values.length; i += 2) items.set(values[i], values[i + 1]);
  }

  private put(key: number): void {
    if (!Number.isSafeInteger(key) || key < 0) throw this.bytes.fail("a memo key is no number");
    if (!this.memo.has(key)) this.bytes.take(cost.entry);
    this.memo.set(key, this.top());
  }

  private get(key: number): void {
    if (!this.memo.has(key)) throw this.bytes.fail(`nothing is memorized under ${key}`);
    this.push(this.memo.get(key));
  }

  // Objects

  private global(module: unknown, name: unknown): void {
    if (typeof module !== "string" || typeof name !== "string")
      throw this.bytes.fail("the name of a class or function is no text");
    this.bytes.take(cost.object);
    this.push(new PickledGlobal(`${renamed[module] ?? module}.${name}`));
  }

  private call(callable: unknown, args: unknown): void {
    if (!(callable instanceof PickledGlobal)) throw this.bytes.fail("something is called that is no named class or function");
    if (!Array.isArray(args)) throw this.bytes.fail(`the arguments of ${callable.name} are no tuple`);
    // What is made may be a copy of the first argument, which the memo may give to many calls.
    const [first] = args as unknown[];
    this.bytes.take(cost.object + cost.entry * (Array.isArray(first) || typeof first === "string" ? first.length : 1));
    const value = this.host.call(callable.name, args);
    if (value !== undefined) return this.push(value);
    throw this.bytes.fail(
      `it would call ${callable.name.slice(0, 200)}, which is not allowed: only tensors and plain data are read, and nothing is executed; ` +
        `if you trust the file, load it in Python and save its state_dict()`,
    );
  }

  private make(type: unknown, args: unknown): void {
    if (!(type instanceof PickledGlobal) || !Array.isArray(args)) throw this.bytes.fail("an object is made of what is no class");
    this.bytes.take(cost.object);
    this.push(this.host.call(type.name, args) ?? new PickledObject(type.name, args));
  }

  private build(state: unknown): void {
    const target = this.top();
    if (target instanceof PickledObject) target.state = state;
    else if (!(target instanceof Map) && !this.host.build(target, state))
      throw this.bytes.fail("state is set on what is no object");
  }
}
