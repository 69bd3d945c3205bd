/** @file Option names of MONAI's transforms and helpers that voxgrad has, by the last part of the operation's name. */

const testImage = "size num_objs rad_max rad_min noise_max num_seg_classes channel_dim random_state_seed";

const names: Readonly<Record<string, string>> = {
  create_test_image_2d: testImage,
  create_test_image_3d: testImage,
};

/** The option names of an operation. */
export const optionNames = (op: string): string[] => (names[op.split(".").at(-1)!] ?? "").split(" ");
