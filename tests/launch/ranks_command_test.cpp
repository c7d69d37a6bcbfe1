#include "atelier/launch/ranks_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/text.h"

namespace atelier::launch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> hosts_in(const std::string& text) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "hosts") << text;
  return read_hosts(folder.path() / "hosts");
}

TEST(Hosts, FirstWordOfEachLine) {
  EXPECT_THAT(hosts_in("# machines\na slots=8\n\n  b # the second\nc\n"), ElementsAre("a", "b", "c"));
  EXPECT_THROW(hosts_in("# none\n"), UsageError);
  EXPECT_THROW(hosts_in("a\nb\na\n"), UsageError);
  EXPECT_THROW(read_hosts("/nowhere/hosts"), UsageError);
}

TEST(Hosts, AWrongNameIsNamed) {
  EXPECT_NO_THROW(check_hosts({"localhost"}));
  try {
    check_hosts({"localhost", "no-such-machine.invalid"});
    FAIL() << "it was found";
  } catch (const UsageError& e) {
    EXPECT_THAT(e.what(), HasSubstr("no-such-machine.invalid"));
  }
}

TEST(RanksCommand, MpirunOnThisMachine) {
  const auto ranks = mpirun_command({2, 3}, {}, {"mpirun", "--quiet"}, {"atelier", "run"});
  EXPECT_EQ(join(ranks.command, " "), "mpirun --quiet --bind-to none --oversubscribe -n 7 atelier run");
}

TEST(RanksCommand, MpirunOnHostsHasTheRootBesideTheFirstWorkers) {
  const auto ranks = mpirun_command({2, 3}, {"a", "b", "c"}, {"mpirun"}, {"atelier"});
  EXPECT_THAT(join(ranks.command, " "), HasSubstr("-n 7 --map-by slot --host a:4,b:3 atelier"));
  EXPECT_THROW(mpirun_command({2, 1}, {"a"}, {"mpirun"}, {"atelier"}), UsageError);
}

TEST(RanksCommand, Sbatch) {
  const auto ranks =
      sbatch_command({2, 4}, "s/atelier.sbatch", "/bin/atelier", {"--gpus-per-node={gpus}", "-N{machines}"},
                     "job.log", {"--input", "a.mkv"});
  EXPECT_EQ(join(ranks.command, " "),
            "sbatch --wait --parsable --nodes=2 --ntasks=9 --ntasks-per-node=5 --output=job.log "
            "--gpus-per-node=4 -N2 "
            "s/atelier.sbatch --input a.mkv");
  EXPECT_THAT(ranks.environment, ElementsAre(testing::Pair("ATELIER_PROGRAM", "/bin/atelier"),
                                             testing::Pair("ATELIER_CONFIG", "/dev/null")));
}

}  // namespace
}  // namespace atelier::launch
