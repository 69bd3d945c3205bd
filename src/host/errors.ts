/**
 * @file One error class per cause. A message names the operation and the argument, what came, what was expected, and what the
 * user can do; programs tell causes apart by class or by `code`, never by message text.
 */

/** Base of every error that voxgrad raises on purpose. */
export class VoxgradError extends Error {
  /** Stable machine-readable cause; equals the class name without "Error". */
  get code(): string {
    return this.name.replace(/Error$/, "");
  }
  // Spelled out in every class: minifiers rename constructors.
  /** Name of the class. */
  override get name(): string {
    return "VoxgradError";
  }
}

/** Shapes, sizes, axes or strides that do not fit together. */
export class ShapeError extends VoxgradError {
  override get name(): string {
    return "ShapeError";
  }
}
/** An element type the operation does not take. */
export class DTypeError extends VoxgradError {
  override get name(): string {
    return "DTypeError";
  }
}
/** Values that make the work meaningless: NaN voxels, an empty label, an unknown class. */
export class DataError extends VoxgradError {
  override get name(): string {
    return "DataError";
  }
}
/** An option that is unknown, missing or outside its range. */
export class ConfigError extends VoxgradError {
  override get name(): string {
    return "ConfigError";
  }
}
/** A file that does not keep to its format; the message names the file and the field. */
export class FormatError extends VoxgradError {
  override get name(): string {
    return "FormatError";
  }
}
/** A checkpoint or weight file that does not fit the model or the run. */
export class CheckpointError extends VoxgradError {
  override get name(): string {
    return "CheckpointError";
  }
}
/** No WebGPU adapter could be opened. */
export class NoAdapterError extends VoxgradError {
  override get name(): string {
    return "NoAdapterError";
  }
}
/** The GPU device went away; the run can be resumed from its last checkpoint on a new device. */
export class DeviceLostError extends VoxgradError {
  override get name(): string {
    return "DeviceLostError";
  }
}
/** The device refused an allocation. */
export class OutOfMemoryError extends VoxgradError {
  override get name(): string {
    return "OutOfMemoryError";
  }
}
/** A tensor that no buffer or binding of this device can hold. */
export class TensorTooLargeError extends VoxgradError {
  override get name(): string {
    return "TensorTooLargeError";
  }
}
/** WebGPU reported an error of a shader or a command: a fault of voxgrad, not of its user. */
export class WebGPUError extends VoxgradError {
  override get name(): string {
    return "WebGPUError";
  }
}
/** Numbers of a test that should agree and do not. */
export class MismatchError extends VoxgradError {
  override get name(): string {
    return "MismatchError";
  }
}
/** A loss or a weight became NaN or infinite during training. */
export class NonFiniteError extends VoxgradError {
  override get name(): string {
    return "NonFiniteError";
  }
}
