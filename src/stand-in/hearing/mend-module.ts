/**
 * Mends a WebAssembly module that was compiled in 2018 with Emscripten's old back end:
 *
 * - Its conversions from float to integer trap on overflow, where the C code counts on some integer. They become the
 *   saturating ones.
 * - Its memory import names a maximum that is too small for the general model.
 *
 * What is read is the binary format of the first version of WebAssembly, instruction by instruction: a byte that looks
 * like an opcode may be part of an operand.
 */
export interface MendedModule {
  bytes: Uint8Array;
  /** How many conversions were replaced. */
  conversions: number;
}

const headerBytes = 8;
const importSection = 2;
const codeSection = 10;

/** Throws where the bytes are not such a module. */
export function mendModule(bytes: Uint8Array, maxPages: number): MendedModule {
  const reader = createReader(bytes);
  const parts: Uint8Array[] = [reader.take(headerBytes)];
  if (Buffer.from(parts[0] ?? []).toString("latin1") !== "\0asm\x01\0\0\0") throw notAModule("no header");
  let conversions = 0;
  while (!reader.isAtEnd()) {
    const id = reader.byte();
    let content = reader.take(reader.number());
    if (id === importSection) content = raiseMemory(content, maxPages);
    if (id === codeSection) {
      const mended = mendCode(content);
      content = mended.bytes;
      conversions = mended.conversions;
    }
    parts.push(Uint8Array.of(id), encodeNumber(content.byteLength), content);
  }
  return { bytes: Buffer.concat(parts), conversions };
}

const importKind = { function: 0, table: 1, memory: 2, global: 3 } as const;
const hasMaximum = 1;

function raiseMemory(content: Uint8Array, maxPages: number): Uint8Array {
  const reader = createReader(content);
  for (let left = reader.number(); left > 0; left -= 1) {
    reader.take(reader.number());
    reader.take(reader.number());
    const kind = reader.byte();
    if (kind === importKind.memory) {
      if (reader.byte() !== hasMaximum) return content;
      reader.number();
      const start = reader.position();
      reader.number();
      const rest = content.subarray(reader.position());
      return Buffer.concat([content.subarray(0, start), encodeNumber(maxPages), rest]);
    }
    skipImport(reader, kind);
  }
  return content;
}

function skipImport(reader: Reader, kind: number): void {
  switch (kind) {
    case importKind.function:
      reader.number();
      return;
    case importKind.table: {
      reader.byte();
      const limits = reader.byte();
      reader.number();
      if (limits === hasMaximum) reader.number();
      return;
    }
    case importKind.global:
      reader.take(2);
      return;
    default:
      throw notAModule(`import of kind ${kind}`);
  }
}

function mendCode(content: Uint8Array): MendedModule {
  const reader = createReader(content);
  const functions = reader.number();
  const parts = [encodeNumber(functions)];
  let conversions = 0;
  for (let left = functions; left > 0; left -= 1) {
    const mended = mendFunction(reader.take(reader.number()));
    conversions += mended.conversions;
    parts.push(encodeNumber(mended.bytes.byteLength), mended.bytes);
  }
  return { bytes: Buffer.concat(parts), conversions };
}

function mendFunction(body: Uint8Array): MendedModule {
  const reader = createReader(body);
  for (let left = reader.number(); left > 0; left -= 1) {
    reader.number();
    reader.byte();
  }
  const parts: Uint8Array[] = [];
  let kept = 0;
  let conversions = 0;
  while (!reader.isAtEnd()) {
    const start = reader.position();
    const opcode = reader.byte();
    const saturating = saturatingOpcode(opcode);
    if (saturating === null) {
      skipOperands(reader, opcode);
      continue;
    }
    parts.push(body.subarray(kept, start), Uint8Array.of(0xfc, saturating));
    kept = start + 1;
    conversions += 1;
  }
  if (conversions === 0) return { bytes: body, conversions };
  return { bytes: Buffer.concat([...parts, body.subarray(kept)]), conversions };
}

/** What follows the prefix 0xFC; null for an opcode that is no conversion from float to integer. */
function saturatingOpcode(opcode: number): number | null {
  if (opcode >= 0xa8 && opcode <= 0xab) return opcode - 0xa8;
  if (opcode >= 0xae && opcode <= 0xb1) return opcode - 0xae + 4;
  return null;
}

function skipOperands(reader: Reader, opcode: number): void {
  switch (operandsOf(opcode)) {
    case "none":
      return;
    case "byte":
      reader.byte();
      return;
    case "number":
      reader.skipNumber();
      return;
    case "numbers":
      reader.skipNumber();
      reader.skipNumber();
      return;
    case "table":
      for (let left = reader.number(); left >= 0; left -= 1) reader.number();
      return;
    case "float32":
      reader.take(4);
      return;
    case "float64":
      reader.take(8);
      return;
  }
}

type Operands = "none" | "byte" | "number" | "numbers" | "table" | "float32" | "float64";

function operandsOf(opcode: number): Operands {
  const found = operandRanges.find(([first, last]) => opcode >= first && opcode <= last);
  if (found === undefined) throw notAModule(`opcode 0x${opcode.toString(16)}`);
  return found[2];
}

const operandRanges: readonly (readonly [first: number, last: number, operands: Operands])[] = [
  [0x45, 0xc4, "none"], // comparisons, arithmetic, conversions
  [0x20, 0x24, "number"], // local.get … global.set
  [0x28, 0x3e, "numbers"], // loads and stores: alignment, offset
  [0x41, 0x42, "number"], // i32.const, i64.const
  [0x00, 0x01, "none"], // unreachable, nop
  [0x02, 0x04, "byte"], // block, loop, if: the type of the result
  [0x05, 0x05, "none"], // else
  [0x0b, 0x0b, "none"], // end
  [0x0c, 0x0d, "number"], // br, br_if
  [0x0e, 0x0e, "table"], // br_table
  [0x0f, 0x0f, "none"], // return
  [0x10, 0x10, "number"], // call
  [0x11, 0x11, "numbers"], // call_indirect: type, table
  [0x1a, 0x1b, "none"], // drop, select
  [0x3f, 0x40, "byte"], // memory.size, memory.grow
  [0x43, 0x43, "float32"],
  [0x44, 0x44, "float64"],
];

interface Reader {
  isAtEnd(): boolean;
  position(): number;
  byte(): number;
  take(byteLength: number): Uint8Array;
  /** An unsigned LEB128 number of at most 32 bits. */
  number(): number;
  /** A LEB128 number of any sign and size. */
  skipNumber(): void;
}

function createReader(bytes: Uint8Array): Reader {
  let offset = 0;
  const byte = () => {
    const value = bytes[offset];
    if (value === undefined) throw notAModule("it ends too early");
    offset += 1;
    return value;
  };
  return {
    isAtEnd: () => offset >= bytes.byteLength,
    position: () => offset,
    byte,
    take(byteLength) {
      if (offset + byteLength > bytes.byteLength) throw notAModule("it ends too early");
      offset += byteLength;
      return bytes.subarray(offset - byteLength, offset);
    },
    number() {
      let value = 0;
      for (let shift = 0; shift < 35; shift += 7) {
        const next = byte();
        value += (next & 0x7f) * 2 ** shift;
        if (next < 0x80) return value;
      }
      throw notAModule("a number is too long");
    },
    skipNumber() {
      while (byte() >= 0x80);
    },
  };
}

function encodeNumber(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
  return Uint8Array.of(...bytes, left);
}

function notAModule(what: string): Error {
  return new Error(`The WebAssembly module cannot be mended: ${what}.`);
}
