/** @file nnU-Net's planners: what each assumes of the network and of the GPU. A new planner is a row here. */

/** How a configuration resamples: names and options as they stand in plans. */
export interface PlannedResampling {
  readonly fn: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly seg: Readonly<Record<string, unknown>>;
  readonly probabilities: Readonly<Record<string, unknown>>;
}

/** What a planner assumes. */
export interface PlannerSettings {
  readonly plansName: string;
  readonly residual: boolean;
  /** Feature map elements that fit `referenceGb` at the reference batch sizes. */
  readonly reference2d: number;
  readonly reference3d: number;
  readonly referenceGb: number;
  /** What the plan is made for unless told otherwise. */
  readonly gpuMemoryTargetInGb: number;
  /** Part of the data set's voxels that a batch may have. */
  readonly maxDatasetCovered: number;
  /** Whether 2d and 3d_fullres use the data that the default planner's plans prepare. */
  readonly sharesData: boolean;
  readonly resampling: PlannedResampling;
}

const splines: PlannedResampling = {
  fn: "resample_data_or_seg_to_shape",
  data: { is_seg: false, order: 3, order_z: 0, force_separate_z: null },
  seg: { is_seg: true, order: 1, order_z: 0, force_separate_z: null },
  probabilities: { is_seg: false, order: 1, order_z: 0, force_separate_z: null },
};

const byTorch = (options: Readonly<Record<string, unknown>>): PlannedResampling => ({
  fn: "resample_torch_fornnunet",
  data: { is_seg: false, ...options },
  seg: { is_seg: true, ...options },
  probabilities: { is_seg: false, ...options },
});
const torch = byTorch({ force_separate_z: false, memefficient_seg_resampling: false });
const torchSeparate = byTorch({
  force_separate_z: null,
  memefficient_seg_resampling: false,
  separate_z_anisotropy_threshold: 3,
});
const none: PlannedResampling = { fn: "no_resampling_hack", data: {}, seg: {}, probabilities: {} };

const plain: PlannerSettings = {
  plansName: "nnUNetPlans",
  residual: false,
  reference2d: 85_000_000,
  reference3d: 560_000_000,
  referenceGb: 8,
  gpuMemoryTargetInGb: 8,
  maxDatasetCovered: 0.05,
  sharesData: false,
  resampling: splines,
};
const residual: PlannerSettings = {
  ...plain,
  plansName: "nnUNetResEncUNetPlans",
  residual: true,
  reference2d: 135_000_000,
  reference3d: 680_000_000,
  sharesData: true,
};
const preset = (size: string, gb: number, reference2d: number, reference3d: number): PlannerSettings => ({
  ...residual,
  plansName: `nnUNetResEncUNet${size}Plans`,
  reference2d,
  reference3d,
  referenceGb: gb,
  gpuMemoryTargetInGb: gb,
  maxDatasetCovered: 1,
});
const large = preset("L", 24, 380_000_000, 2_100_000_000);
const variant = (of: PlannerSettings, suffix: string, resampling: PlannedResampling): PlannerSettings => ({
  ...of,
  plansName: of.plansName + suffix,
  sharesData: false,
  resampling,
});

/** By the names of nnU-Net's classes. */
export const planners = {
  ExperimentPlanner: plain,
  ResEncUNetPlanner: residual,
  nnUNetPlannerResEncM: preset("M", 8, 135_000_000, 680_000_000),
  nnUNetPlannerResEncL: large,
  nnUNetPlannerResEncXL: preset("XL", 40, 560_000_000, 3_600_000_000),
  nnUNetPlanner_torchres: variant(plain, "_torchres", torch),
  nnUNetPlannerResEncL_torchres: variant(large, "_torchres", torch),
  nnUNetPlannerResEncL_torchres_sepz: variant(large, "_torchres_sepz", torchSeparate),
  nnUNetPlannerResEncL_noResampling: variant(large, "_noResampling", none),
} as const satisfies Readonly<Record<string, PlannerSettings>>;

/** nnU-Net's name of a planner. */
export type PlannerName = keyof typeof planners;
