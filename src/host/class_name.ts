/**
 * @file What class of the platform made an object. Another window or frame has classes of its own: what it made is no instance of ours, although it
 * is just as good, and its name tells.
 */

/** The name of the class: "Float32Array", also of one of another window; "Uint8Array" of Node's `Buffer`; "Object" of what is none of the platform's. */
export const className = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

/** Whether it is a Blob or a File. */
export const isBlob = (value: unknown): value is Blob => /^(Blob|File)$/.test(className(value));
