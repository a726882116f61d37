namespace Lintel.Features.Jobs;

public sealed class JobInputsTests
{
    private readonly JobInputs _inputs = new();

    [Fact]
    public void Input_is_found_until_it_is_forgotten()
    {
        var id = Keep(10);
        Assert.Equal(10, _inputs.Find(id)?.Length);
        Assert.Null(_inputs.Find(Guid.NewGuid()));

        _inputs.Forget(id);
        _inputs.Forget(id);

        Assert.Null(_inputs.Find(id));
    }

    [Fact]
    public void What_is_kept_is_bounded_and_the_oldest_goes_first()
    {
        const int tenth = 3_200_000;
        var ids = Enumerable.Range(0, 25).Select(_ => Keep(tenth)).ToList();
        _inputs.Forget(ids[24]);

        var left = ids.Select(_inputs.Find).ToList();

        Assert.All(left[..15], Assert.Null);
        Assert.All(left[15..24], input => Assert.Equal(tenth, input?.Length));
    }

    private Guid Keep(int bytes)
    {
        var id = Guid.NewGuid();
        _inputs.Keep(id, new byte[bytes]);
        return id;
    }
}
