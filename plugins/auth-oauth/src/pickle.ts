/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

// Opcodes of Python's pickle, protocol 2: every Python 3 reads it, and it needs neither memo nor frames.
const PROTOCOL = Buffer.from([0x80, 2]);
const STOP = Buffer.from(".");
const [NONE, TRUE, FALSE] = [Buffer.from("N"), Buffer.from([0x88]), Buffer.from([0x89])];
const [EMPTY_LIST, EMPTY_DICT, MARK] = [Buffer.from("]"), Buffer.from("}"), Buffer.from("(")];
const [APPENDS, SETITEMS] = [Buffer.from("e"), Buffer.from("u")];
const INT32 = 0x4a;
const LONG = 0x8a;
const FLOAT = 0x47;
const TEXT = 0x58;

/** Plain JSON as Python's `pickle.dumps` would write it: `pickle.loads` gives the same dicts, lists and numbers. */
export const pickled = (value: Json): Buffer => Buffer.concat([PROTOCOL, ...opcodes(value), STOP]);

function* opcodes(value: Json): Generator<Buffer> {
  if (value === null) yield NONE;
  else if (typeof value === "boolean") yield value ? TRUE : FALSE;
  else if (typeof value === "number") yield number(value);
  else if (typeof value === "string") yield text(value);
  else if (isList(value)) {
    yield EMPTY_LIST;
    yield MARK;
    for (const each of value) yield* opcodes(each);
    yield APPENDS;
  } else {
    yield EMPTY_DICT;
    yield MARK;
    for (const [key, each] of Object.entries(value)) {
      yield text(key);
      yield* opcodes(each);
    }
    yield SETITEMS;
  }
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

function text(value: string): Buffer {
  const bytes = Buffer.from(value.toWellFormed(), "utf8");
  const head = Buffer.alloc(5);
  head.writeUInt8(TEXT, 0);
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function number(value: number): Buffer {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    const float = Buffer.alloc(9);
    float.writeUInt8(FLOAT, 0);
    float.writeDoubleBE(value, 1);
    return float;
  }
  if (value >= -(2 ** 31) && value < 2 ** 31) {
    const int = Buffer.alloc(5);
    int.writeUInt8(INT32, 0);
    int.writeInt32LE(value, 1);
    return int;
  }
  const long = Buffer.alloc(10);
  long.writeUInt8(LONG, 0);
  long.writeUInt8(8, 1);
  long.writeBigInt64LE(BigInt(value), 2);
  return long;
}
