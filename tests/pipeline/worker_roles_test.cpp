#include "worker_roles.h"

#include <gtest/gtest.h>

#include "atelier/base/error.h"

namespace atelier::pipeline {
namespace {

using tensor::DeviceKind;
using Places = std::map<int, WorkerPlace>;

std::string error_of(const Places& places, const RoleRules& rules) {
  try {
    assign_roles(places, rules);
  } catch (const UsageError& e) {
    return e.what();
  }
  return "";
}

void expect_gpus(const std::map<int, WorkerRole>& roles, const std::map<int, int>& expected) {
  for (const auto& [rank, index] : expected) {
    ASSERT_TRUE(roles.at(rank).device);
    EXPECT_EQ(roles.at(rank).device->kind, DeviceKind::cuda);
    EXPECT_EQ(roles.at(rank).device->index, index);
  }
}

TEST(WorkerRoles, AllStyleOnTheirCpusWithoutAnyGpu) {
  for (const auto& [rank, role] : assign_roles({{1, {"a", {}}}, {2, {"a", {}}}, {3, {"b", {}}}}, {})) {
    ASSERT_TRUE(role.device);
    EXPECT_EQ(role.device->kind, DeviceKind::cpu);
    EXPECT_EQ(role.num_workers_here, rank == 3 ? 1 : 2);
  }
  for (const auto& [rank, role] : assign_roles({{1, {"a", {"x", "y"}}}, {2, {"b", {}}}}, {.device = "cpu"}))
    EXPECT_EQ(role.device->kind, DeviceKind::cpu);
}

// Machines may call their GPUs the same.
TEST(WorkerRoles, EachHasTheGpuOfItsIndexAmongTheWorkersOfItsMachine) {
  const std::vector<std::string> gpus = {"x", "y"};
  expect_gpus(assign_roles({{1, {"a", gpus}}, {2, {"b", gpus}}, {3, {"a", gpus}}, {4, {"b", gpus}}}, {}),
              {{1, 0}, {2, 0}, {3, 1}, {4, 1}});
}

// As a launcher gives them that shows each rank a GPU of its own.
TEST(WorkerRoles, TheOnlyGpuThatAWorkerSeesIsIts) {
  expect_gpus(assign_roles({{1, {"a", {"x"}}}, {2, {"a", {"y"}}}}, {}), {{1, 0}, {2, 0}});
}

TEST(WorkerRoles, WhoHasNoGpuHelpsToEncode) {
  const Places places = {
      {1, {"a", {"x", "y"}}}, {2, {"a", {"x", "y"}}}, {3, {"a", {"x", "y"}}}, {4, {"b", {}}}};
  const auto roles = assign_roles(places, {.encode_at_workers = true});
  expect_gpus(roles, {{1, 0}, {2, 1}});
  EXPECT_FALSE(roles.at(3).device || roles.at(4).device);
  EXPECT_EQ(roles.at(3).num_workers_here, 3);
}

TEST(WorkerRoles, WithNothingToHelpWithItIsAMistake) {
  EXPECT_NE(error_of({{1, {"a", {"x"}}}, {2, {"a", {"x"}}}}, {})
                .find("rank 2 on a has no GPU of its own (other ranks have all that it sees)"),
            std::string::npos);
  EXPECT_NE(error_of({{1, {"a", {"x"}}}, {2, {"b", {}}}}, {})
                .find("rank 2 on b has no GPU of its own (none is visible there, but rank 1 on a has one)"),
            std::string::npos);
}

TEST(WorkerRoles, CudaNeedsAGpuSomewhere) {
  EXPECT_NE(error_of({{1, {"a", {}}}}, {.device = "cuda"}).find("no GPU on a (--device cuda was given)"),
            std::string::npos);
  EXPECT_EQ(error_of({{1, {"a", {"x"}}}, {2, {"b", {}}}}, {.device = "cuda", .encode_at_workers = true}), "");
}

}  // namespace
}  // namespace atelier::pipeline
