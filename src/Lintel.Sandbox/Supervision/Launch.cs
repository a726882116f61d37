using Lintel.Sandbox.Native;

namespace Lintel.Sandbox.Supervision;

/// <summary>What all runs of one launcher share.</summary>
internal sealed record Launch(
    string Bubblewrap, byte[] Filter, GuestIdentity Identity, ProcessTree Processes, CgroupTree? Cgroups, OrphanGuard Guard, Action Wake);
