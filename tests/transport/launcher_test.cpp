#include "atelier/transport/launcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "atelier/base/error.h"

namespace atelier::transport {
namespace {

using Variables = std::map<std::string, std::string>;

Launcher detect(const Variables& variables) {
  return detect_launcher([&](const char* name) -> const char* {
    const auto it = variables.find(name);
    return it == variables.end() ? nullptr : it->second.c_str();
  });
}

void expect_launcher(const Variables& variables, const std::string& name, int expected_ranks) {
  const Launcher launcher = detect(variables);
  EXPECT_EQ(launcher.name, name);
  EXPECT_EQ(launcher.expected_ranks, expected_ranks);
}

TEST(Launcher, NoneWithoutVariables) {
  expect_launcher({}, "none", 1);
}

TEST(Launcher, OpenMpi) {
  expect_launcher({{"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_RANK", "2"}, {"PMIX_RANK", "2"}},
                  "mpirun", 4);
  expect_launcher({{"OMPI_COMM_WORLD_SIZE", "1"}}, "mpirun", 1);
}

TEST(Launcher, OtherMpi) {
  expect_launcher({{"PMI_SIZE", "3"}, {"PMI_RANK", "0"}}, "mpiexec", 3);
}

TEST(Launcher, SrunStep) {
  expect_launcher({{"SLURM_NTASKS", "8"},
                   {"SLURM_STEP_NUM_TASKS", "5"},
                   {"SLURM_PROCID", "1"},
                   {"SLURM_STEP_ID", "0"},
                   {"PMIX_RANK", "1"}},
                  "slurm", 5);
  expect_launcher({{"SLURM_NTASKS", "3"}, {"SLURM_PROCID", "0"}, {"SLURM_STEPID", "12"}}, "slurm", 3);
}

TEST(Launcher, BodyOfASlurmJobIsNoLauncher) {
  const Variables body = {{"SLURM_NTASKS", "5"}, {"SLURM_PROCID", "0"}, {"SLURM_JOB_ID", "77"}};
  expect_launcher(body, "none", 5);
  Variables interactive = body;
  interactive["SLURM_STEP_ID"] = "4294967290";
  expect_launcher(interactive, "none", 5);
}

TEST(Launcher, MpirunInsideASlurmJobFollowsMpirun) {
  // mpirun starts its daemons with srun: one task a machine.
  expect_launcher(
      {{"SLURM_NTASKS", "2"}, {"SLURM_PROCID", "1"}, {"SLURM_STEP_ID", "0"}, {"OMPI_COMM_WORLD_SIZE", "9"}},
      "mpirun", 9);
}

TEST(Launcher, OtherPmixLauncher) {
  expect_launcher({{"PMIX_RANK", "0"}}, "pmix", 1);
}

TEST(Launcher, IgnoresWhatIsNoNumber) {
  expect_launcher({{"OMPI_COMM_WORLD_SIZE", "four"}}, "none", 1);
  expect_launcher({{"SLURM_NTASKS", "-3"}}, "none", 1);
  expect_launcher({{"SLURM_NTASKS", ""}}, "none", 1);
}

TEST(CheckLaunch, PassesTheRightWorld) {
  EXPECT_NO_THROW(check_launch({"none", 1}, 1));
  EXPECT_NO_THROW(check_launch({"mpirun", 4}, 4));
  EXPECT_NO_THROW(check_launch({"slurm", 4}, 4));
  EXPECT_NO_THROW(check_launch({"mpirun", 1}, 1));
}

TEST(CheckLaunch, RefusesSeveralRootsAndSaysHow) {
  const auto message_of = [](const Launcher& launcher) -> std::string {
    try {
      check_launch(launcher, 1);
    } catch (const UsageError& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      return error.what();
    }
    return "no error";
  };
  for (const char* name : {"none", "mpirun", "mpiexec", "slurm"}) {
    EXPECT_THAT(message_of({name, 4}), testing::StartsWith("one rank where 4 were asked for ("));
  }
#if ATELIER_MPI
  EXPECT_THAT(message_of({"slurm", 4}), testing::HasSubstr("srun --mpi=pmix atelier run"));
  EXPECT_THAT(message_of({"none", 4}), testing::HasSubstr("SLURM_NTASKS is 4"));
  EXPECT_THAT(message_of({"mpiexec", 4}), testing::HasSubstr("mpirun --bind-to none -n 4 atelier run"));
#else
  EXPECT_THAT(message_of({"mpirun", 4}), testing::HasSubstr("this build has no MPI"));
#endif
}

}  // namespace
}  // namespace atelier::transport
