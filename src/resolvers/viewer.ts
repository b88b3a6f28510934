import type { TenantUsageResolvers, ViewerResolvers } from "../schema/generated/types.js";

export const viewer: ViewerResolvers = {
  usage: (_parent, _arguments, { reading }) => reading.usage(),
};

export const tenantUsage: TenantUsageResolvers = {
  usage: (tenant, _arguments, { app }) => app.tenantUsage.sum(tenant),
  viewers: (tenant, { first, after }, { app }) => app.tenantUsage.byViewer(tenant, first, after ?? null),
};
