#include "atelier/base/cpu_quota.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace atelier {
namespace {

namespace fs = std::filesystem;

constexpr const char* unified_mount = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";

// A root folder of its own, with the files of a machine.
class CpuQuota : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(root_); }
  void TearDown() override { fs::remove_all(root_); }

  void write(const fs::path& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  const fs::path root_ = fs::temp_directory_path() / ("cpu_quota_test." + std::to_string(getpid()));
};

TEST_F(CpuQuota, IsUnlimitedWithoutGroups) {
  EXPECT_EQ(cpu_quota(root_), std::nullopt);
  write("proc/self/cgroup", "0::/\n");
  write("proc/self/mountinfo", unified_mount);
  EXPECT_EQ(cpu_quota(root_), std::nullopt);
}

TEST_F(CpuQuota, ReadsVersion2) {
  write("proc/self/cgroup", "0::/user.slice/job.scope\n");
  write("proc/self/mountinfo", unified_mount);
  write("sys/fs/cgroup/user.slice/job.scope/cpu.max", "max 100000\n");
  EXPECT_EQ(cpu_quota(root_), std::nullopt);
  write("sys/fs/cgroup/user.slice/job.scope/cpu.max", "250000 100000\n");
  EXPECT_EQ(cpu_quota(root_), 2.5);
}

TEST_F(CpuQuota, TakesTheLeastOfAllGroupsAbove) {
  write("proc/self/cgroup", "0::/user.slice/job.scope\n");
  write("proc/self/mountinfo", unified_mount);
  write("sys/fs/cgroup/user.slice/cpu.max", "150000 100000\n");
  write("sys/fs/cgroup/user.slice/job.scope/cpu.max", "400000 100000\n");
  write("sys/fs/cgroup/other.slice/cpu.max", "10000 100000\n");
  EXPECT_EQ(cpu_quota(root_), 1.5);
}

TEST_F(CpuQuota, ReadsVersion1) {
  write("proc/self/cgroup", "9:cpuset:/docker/ab\n4:cpu,cpuacct:/docker/ab\n0::/system.slice\n");
  write("proc/self/mountinfo",
        "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
        "32 31 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
        "33 31 0:30 / /sys/fs/cgroup/cpu\\054cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpu_quota(root_), std::nullopt);
  write("sys/fs/cgroup/cpu,cpuacct/docker/ab/cpu.cfs_quota_us", "50000\n");
  write("sys/fs/cgroup/cpu,cpuacct/docker/ab/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpu_quota(root_), 0.5);
}

TEST_F(CpuQuota, OfAContainerThatSeesItsGroupAsTheTop) {
  write("proc/self/cgroup", "4:cpu:/docker/ab\n");
  write("proc/self/mountinfo", "33 31 0:30 /docker/ab /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpu_quota(root_), 2.0);
  write("proc/self/cgroup", "4:cpu:/../../elsewhere\n");
  EXPECT_EQ(cpu_quota(root_), 2.0);
}

TEST_F(CpuQuota, SurvivesNonsense) {
  write("proc/self/cgroup", "nonsense\n0::/a\n");
  write("proc/self/mountinfo", std::string("-\n - \n1 2 3 - cgroup2\n") + unified_mount);
  write("sys/fs/cgroup/a/cpu.max", "much more\n");
  EXPECT_EQ(cpu_quota(root_), std::nullopt);
}

TEST(UsableCores, AreNoMoreThanThereIsTimeFor) {
  EXPECT_EQ(usable_cores(64, std::nullopt), 64);
  EXPECT_EQ(usable_cores(64, 2.0), 2);
  EXPECT_EQ(usable_cores(64, 1.5), 2);
  EXPECT_EQ(usable_cores(64, 0.1), 1);
  EXPECT_EQ(usable_cores(2, 16.0), 2);
  EXPECT_EQ(usable_cores(2, 1e30), 2);
  EXPECT_EQ(usable_cores(0, std::nullopt), 1);
}

}  // namespace
}  // namespace atelier
