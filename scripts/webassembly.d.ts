// The part of WebAssembly that scripts use; the rest of lib.dom has no place in a server.
declare namespace WebAssembly {
  function instantiate(
    bytes: Uint8Array,
    imports: Record<string, unknown>,
  ): Promise<{ instance: { exports: unknown } }>;
}
