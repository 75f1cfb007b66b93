#!/bin/bash
# A SLURM array that does the experiment @name: submit it with 'sbatch FILE', as often as it takes.
#
# Each task begins with its own part of the items and then takes what others have left. A task that is stopped, by its
# time limit or because its node fails, loses about half a minute of steps: another task continues from the saved state.
# More tasks can be added while others run; no two work on one item. To see how far it is:
#
#     tfmetamers experiment status @file
#
#SBATCH --job-name=@name
#SBATCH --array=1-@shards
#SBATCH --time=@time
#SBATCH --cpus-per-task=@cpus
#SBATCH --mem=@memory
#SBATCH --output=%x-%A-%a.log
#SBATCH --requeue                          # after a node has failed or the job was preempted
#SBATCH --signal=B:TERM@@90                # 90 seconds before the limit, to save the state and give the item back
@resources
set -euo pipefail

# Activate the environment that tfmetamers is installed in, such as
#     module load python/3.11
#     source ~/venvs/tfmetamers/bin/activate

# Hide messages of TensorFlow's libraries that are not errors.
export TF_CPP_MIN_LOG_LEVEL=3

# 'exec', so that SLURM's signal reaches it.
exec tfmetamers experiment run @file --shard "$SLURM_ARRAY_TASK_ID/@shards"@threads
