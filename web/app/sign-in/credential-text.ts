/** RFC 6750, section 2.1: what may stand behind `Bearer`. */
const form = /^[\w.~+/-]+=*$/;

/**
 * The credential in what somebody pasted: white space around it, and a header's beginning, are no part of it. Null where it
 * can't be one.
 */
export function credentialIn(text: string): string | null {
  const credential = text.trim().replace(/^(authorization: *)?bearer +/i, "");
  return form.test(credential) ? credential : null;
}
